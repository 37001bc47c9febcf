package io.prism.cli.demo;

import io.prism.spi.PrismException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The model that comes with the sources. */
public final class BundledModel {
    /** System property with the folder of the sources, set by the launcher. */
    public static final String HOME = "io.prism.home";

    private static final Path PLACE = Path.of("integration-tests", "models", "llama-snakes-6m");

    private BundledModel() {}

    /** @throws PrismException if it is not where it should be */
    public static Path folder() {
        Path home = Path.of(System.getProperty(HOME, ""));
        Path folder = home.resolve(PLACE);
        if (!Files.isRegularFile(folder.resolve("config.json"))) {
            throw new PrismException("The bundled model is not at " + folder.toAbsolutePath()
                    + ". Start with the launcher ./prism of the sources, or name a model with --model.");
        }
        return folder;
    }
}
