package io.prism.jlama.agent;

import java.lang.instrument.Instrumentation;
import java.lang.instrument.UnmodifiableClassException;
import java.util.Optional;

/**
 * Makes an unchanged program's Jlama generate with PRISM: {@code -javaagent:prism-jlama.jar}.
 *
 * <p>Where PRISM can't be active, one line on standard error says why and Jlama goes on by itself; with
 * {@code prism.enabled=true} loading a model fails then. With {@code prism.enabled=false} nothing happens at all. Standard
 * error because an agent must not start the application's logging before the application has configured it.
 */
public final class PrismAgent {

    private PrismAgent() {}

    /** Called by the JVM before the program's {@code main}. */
    public static void premain(String arguments, Instrumentation instrumentation) {
        install(AgentSettings.current(), Obstacle.inThisJvm(), instrumentation);
    }

    /** Called by the JVM when the agent is attached to a running program. */
    public static void agentmain(String arguments, Instrumentation instrumentation) {
        install(AgentSettings.current(), Obstacle.inThisJvm(), instrumentation);
    }

    static void install(AgentSettings settings, Optional<Obstacle> obstacle, Instrumentation instrumentation) {
        if (settings.disabled()) {
            return;
        }
        if (obstacle.isPresent()) {
            System.err.println(obstacle.get().asWarning(settings));
            if (!settings.required()) {
                return;
            }
        }
        instrumentation.addTransformer(new JlamaTransformer(settings), true);
        retransformLoaded(instrumentation);
    }

    /** Jlama may be there already if the agent is attached late. */
    private static void retransformLoaded(Instrumentation instrumentation) {
        for (Class<?> loaded : instrumentation.getAllLoadedClasses()) {
            if (JlamaTransformer.concerns(loaded.getName()) && instrumentation.isModifiableClass(loaded)) {
                try {
                    instrumentation.retransformClasses(loaded);
                } catch (UnmodifiableClassException e) {
                    throw new IllegalStateException("Can't transform " + loaded.getName(), e);
                }
            }
        }
    }
}
