package io.prism.jlama.agent;

import java.io.File;

/** What the plugin, on whichever class loader sees the application's Jlama, does for the transformed Jlama. */
public interface PluginHooks {

    /**
     * Jlama loaded a model.
     *
     * @param model a Jlama {@code AbstractModel}
     * @param location the model's folder, or a file in it
     */
    void loaded(Object model, File location);

    /**
     * Jlama is asked to generate.
     *
     * @param model a Jlama {@code AbstractModel}
     * @param arguments of its five-argument {@code generate}, in order
     * @return Jlama's {@code Generator.Response}, or null if Jlama is to generate itself
     */
    Object generate(Object model, Object[] arguments);
}
