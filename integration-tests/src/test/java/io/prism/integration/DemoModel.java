package io.prism.integration;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The bundled model. */
final class DemoModel {
    static final String NAME = "llama-snakes-6m";

    private DemoModel() {}

    /** Surefire starts tests in the module's folder. */
    static Path folder() {
        return Path.of("models", NAME).toAbsolutePath();
    }

    /** A copy to damage, or to find under another name; without its drafter, which is a folder. */
    static Path copyTo(Path folder) throws IOException {
        Files.createDirectories(folder);
        try (Stream<Path> files = Files.list(folder())) {
            for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        return folder;
    }
}
