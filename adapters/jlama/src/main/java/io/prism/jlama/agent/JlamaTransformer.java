package io.prism.jlama.agent;

import java.lang.instrument.ClassFileTransformer;
import java.security.ProtectionDomain;
import java.util.Optional;
import java.util.Set;

/** Weaves the hook into the two classes of Jlama it needs, on whichever class loader they come. */
final class JlamaTransformer implements ClassFileTransformer {
    private static final Set<String> CONCERNED = Set.of(JlamaWeaver.MODEL, JlamaWeaver.MODEL_SUPPORT);

    private final AgentSettings settings;

    JlamaTransformer(AgentSettings settings) {
        this.settings = settings;
    }

    static boolean concerns(String className) {
        return CONCERNED.contains(className);
    }

    @Override
    public byte[] transform(
            ClassLoader loader,
            String internalName,
            Class<?> classBeingRedefined,
            ProtectionDomain protectionDomain,
            byte[] classFile) {
        if (internalName == null || loader == null) {
            return null;
        }
        String name = internalName.replace('/', '.');
        if (!concerns(name)) {
            return null;
        }
        try {
            return weave(name, classFile, loader);
        } catch (RuntimeException | LinkageError e) {
            // the JVM would drop it silently
            System.err.println("[prism] not active: can't hook into " + name + ": " + e
                    + ". Please report this; Jlama runs as without PRISM.");
            return null;
        }
    }

    private byte[] weave(String name, byte[] classFile, ClassLoader loader) {
        Optional<Obstacle> obstacle = Obstacle.inJlama(loader);
        // where PRISM is required the hook is woven all the same: an error thrown here would not reach anyone
        if (obstacle.isPresent() && !settings.required()) {
            if (name.equals(JlamaWeaver.MODEL)) {
                System.err.println(obstacle.get().asWarning(settings));
            }
            return null;
        }
        return JlamaWeaver.weave(name, classFile, loader);
    }
}
