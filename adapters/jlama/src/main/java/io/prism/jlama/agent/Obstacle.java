package io.prism.jlama.agent;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.net.URLConnection;
import java.util.Optional;
import java.util.Properties;

/**
 * Why PRISM can't be active here.
 *
 * @param message what was found, what was expected and what to do, in one line
 */
record Obstacle(String message) {
    static final int REQUIRED_JAVA = 25;
    static final String VECTOR_MODULE = "jdk.incubator.vector";
    static final String SUPPORTED_JLAMA = "0.8.4";

    private static final String JLAMA_POM = "META-INF/maven/com.github.tjake/jlama-core/pom.properties";

    /** What stands in the way in this JVM, whatever Jlama it holds. */
    static Optional<Obstacle> inThisJvm() {
        return inJvm(
                Runtime.version().feature(),
                ModuleLayer.boot().findModule(VECTOR_MODULE).isPresent());
    }

    static Optional<Obstacle> inJvm(int javaFeature, boolean vectorModuleResolved) {
        if (javaFeature < REQUIRED_JAVA) {
            return Optional.of(new Obstacle("this is Java " + javaFeature + ", PRISM needs Java " + REQUIRED_JAVA
                    + " or newer; run the program on a newer JDK"));
        }
        if (!vectorModuleResolved) {
            return Optional.of(new Obstacle("module " + VECTOR_MODULE
                    + " is not there, PRISM and Jlama both need it; add the JVM option --add-modules "
                    + VECTOR_MODULE));
        }
        return Optional.empty();
    }

    /**
     * Whether the Jlama that a class loader sees is another version. A Jlama that does not tell its version, for instance
     * repackaged in an application's own jar, is let pass here: the plugin looks at its members before use.
     */
    static Optional<Obstacle> inJlama(ClassLoader loader) {
        return jlamaVersion(loader)
                .filter(version -> !version.equals(SUPPORTED_JLAMA))
                .map(version -> new Obstacle("this is Jlama " + version + ", PRISM is made for Jlama " + SUPPORTED_JLAMA
                        + " only; use com.github.tjake:jlama-core:" + SUPPORTED_JLAMA
                        + " or a PRISM made for your version"));
    }

    private static Optional<String> jlamaVersion(ClassLoader loader) {
        URL pom = loader.getResource(JLAMA_POM);
        if (pom == null) {
            return Optional.empty();
        }
        try {
            URLConnection connection = pom.openConnection();
            // a cached connection would keep the application's jar open
            connection.setUseCaches(false);
            try (InputStream in = connection.getInputStream()) {
                Properties properties = new Properties();
                properties.load(in);
                return Optional.ofNullable(properties.getProperty("version"));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Can't read " + pom, e);
        }
    }

    /** The line for people. */
    String asWarning(AgentSettings settings) {
        return "[prism] not active: " + message
                + (settings.required()
                        ? ". Because of prism.enabled=true, loading a model fails."
                        : ". Jlama runs as without PRISM.");
    }

    /** The message of the exception, when PRISM is required. */
    String asError() {
        return "prism.enabled=true, but PRISM can't be active: " + message + " (or set prism.enabled=auto).";
    }
}
