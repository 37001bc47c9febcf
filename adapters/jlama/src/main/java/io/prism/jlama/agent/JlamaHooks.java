package io.prism.jlama.agent;

import java.io.File;
import java.lang.reflect.InvocationTargetException;
import java.security.CodeSource;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;

/**
 * Where the code woven into Jlama arrives. Brings up the plugin once for every Jlama in the JVM, on a class loader that
 * sees that Jlama.
 */
public final class JlamaHooks {

    /** Takes a model and the arguments of generate; gives the response, or null if Jlama is to generate itself. */
    public static final BiFunction<Object, Object[], Object> GENERATE =
            (model, arguments) -> plugin(model).generate(model, arguments);

    /** Takes a model just loaded and the file or folder it came from. */
    public static final BiConsumer<Object, File> LOADED =
            (model, location) -> plugin(model).loaded(model, location);

    private static final String PLUGIN_HOOKS = "io.prism.jlama.generate.AgentHooks";
    private static final String PRISM_EXCEPTION = "io.prism.spi.PrismException";

    /** Keyed by the class {@code AbstractModel}, so that an application's Jlama can be unloaded with its loader. */
    private static final ClassValue<PluginHooks> PLUGINS = new ClassValue<>() {
        @Override
        protected PluginHooks computeValue(Class<?> abstractModel) {
            return bringUp(abstractModel, AgentSettings.current());
        }
    };

    private JlamaHooks() {}

    private static PluginHooks plugin(Object model) {
        Class<?> type = model.getClass();
        while (!type.getName().equals(JlamaWeaver.MODEL)) {
            type = type.getSuperclass();
        }
        return PLUGINS.get(type);
    }

    private static PluginHooks bringUp(Class<?> abstractModel, AgentSettings settings) {
        Optional<Obstacle> obstacle = Obstacle.inThisJvm().or(() -> Obstacle.inJlama(abstractModel.getClassLoader()));
        if (obstacle.isPresent()) {
            return standAside(obstacle.get(), settings, null);
        }
        try {
            return (PluginHooks) loaderFor(abstractModel)
                    .loadClass(PLUGIN_HOOKS)
                    .getConstructor()
                    .newInstance();
        } catch (InvocationTargetException e) {
            return standAside(new Obstacle("it does not start: " + e.getCause()), settings, e.getCause());
        } catch (ReflectiveOperationException | LinkageError e) {
            return standAside(
                    new Obstacle("its classes do not load beside this Jlama (" + e
                            + "); please report how the program is packaged"),
                    settings,
                    e);
        }
    }

    private static ClassLoader loaderFor(Class<?> abstractModel) {
        ClassLoader own = JlamaHooks.class.getClassLoader();
        try {
            if (Class.forName(abstractModel.getName(), false, own) == abstractModel) {
                return own;
            }
        } catch (ClassNotFoundException e) {
            // Jlama is on a loader of its own; handled below
        }
        CodeSource agentJar = JlamaHooks.class.getProtectionDomain().getCodeSource();
        return new PluginLoader(agentJar.getLocation(), abstractModel.getClassLoader());
    }

    private static PluginHooks standAside(Obstacle obstacle, AgentSettings settings, Throwable cause) {
        if (settings.required()) {
            throw prismException(obstacle.asError(), cause);
        }
        System.err.println(obstacle.asWarning(settings));
        return new StockHooks();
    }

    /** The plugin's own exception, if its classes can be loaded at all. */
    private static RuntimeException prismException(String message, Throwable cause) {
        try {
            return (RuntimeException) Class.forName(PRISM_EXCEPTION)
                    .getConstructor(String.class, Throwable.class)
                    .newInstance(message, cause);
        } catch (ReflectiveOperationException | LinkageError e) {
            IllegalStateException plain = new IllegalStateException(message, cause);
            plain.addSuppressed(e);
            return plain;
        }
    }

    /** Leaves everything to Jlama. */
    private static final class StockHooks implements PluginHooks {
        @Override
        public void loaded(Object model, File location) {
            // nothing to prepare
        }

        @Override
        public Object generate(Object model, Object[] arguments) {
            return null;
        }
    }
}
