package io.prism.jlama.agent;

import java.net.URL;
import java.net.URLClassLoader;

/**
 * Defines PRISM's classes below a class loader that holds Jlama but can't see them where the agent's jar is: a Spring Boot
 * application's, Quarkus', any plug-in system's. Everything of {@code io.prism} is defined anew from the agent's jar, even
 * if a parent offers it, since a parent's copy could not see this Jlama; only the agent's own package is shared.
 */
final class PluginLoader extends URLClassLoader {
    private static final String PLUGIN = "io.prism.";
    private static final String SHARED = "io.prism.jlama.agent.";

    static {
        registerAsParallelCapable();
    }

    PluginLoader(URL agentJar, ClassLoader jlama) {
        super("prism", new URL[] {agentJar}, jlama);
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (name.startsWith(SHARED)) {
            return PluginLoader.class.getClassLoader().loadClass(name);
        }
        if (!name.startsWith(PLUGIN)) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> found = findLoadedClass(name);
            if (found == null) {
                found = findClass(name);
            }
            if (resolve) {
                resolveClass(found);
            }
            return found;
        }
    }
}
