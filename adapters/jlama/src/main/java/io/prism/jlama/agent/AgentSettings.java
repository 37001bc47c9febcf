package io.prism.jlama.agent;

import java.util.Locale;
import java.util.Map;
import java.util.Properties;

/**
 * The one flag that matters before any class of the plugin can be loaded.
 *
 * @param disabled {@code prism.enabled=false}: nothing of Jlama may be touched
 * @param required {@code prism.enabled=true}: what would make PRISM step aside is an error
 */
record AgentSettings(boolean disabled, boolean required) {

    static AgentSettings of(Properties systemProperties, Map<String, String> environment) {
        String value = systemProperties.getProperty("prism.enabled", environment.getOrDefault("PRISM_ENABLED", "auto"));
        String enabled = value.strip().toLowerCase(Locale.ROOT);
        return new AgentSettings(enabled.equals("false"), enabled.equals("true"));
    }

    static AgentSettings current() {
        return of(System.getProperties(), System.getenv());
    }
}
