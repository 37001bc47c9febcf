package io.prism.kernels.cuda;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import jcuda.driver.JCudaDriver;

/**
 * Loads JCuda's native libraries. JCuda unpacks one into java.io.tmpdir under a fixed name and takes what it finds there,
 * whoever put it there; so each gets a folder of its own, which nobody else can write, for as long as that takes.
 */
final class JCudaLibrary {
    private static final String TEMPORARY_FOLDER = "java.io.tmpdir";

    private JCudaLibrary() {}

    /**
     * Loads the driver's, unless that was done before.
     *
     * @throws LinkageError if it can't be loaded
     * @throws UncheckedIOException if there is no place to unpack it
     */
    static void load() {
        load(() -> JCudaDriver.setExceptionsEnabled(false));
    }

    /**
     * Loads whichever of JCuda's libraries {@code touch} makes it load.
     *
     * @throws LinkageError if it can't be loaded
     * @throws UncheckedIOException if there is no place to unpack it
     */
    static synchronized void load(Runnable touch) {
        String temporary = System.getProperty(TEMPORARY_FOLDER);
        Path folder;
        try {
            folder = Files.createTempDirectory("prism-jcuda");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        try {
            System.setProperty(TEMPORARY_FOLDER, folder.toString());
            touch.run();
        } finally {
            System.setProperty(TEMPORARY_FOLDER, temporary);
            remove(folder);
        }
    }

    /** Files that are loaded stay readable for the process on Linux. */
    private static void remove(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> all = files.toList();
            for (Path file : all) {
                Files.delete(file);
            }
            Files.delete(folder);
        } catch (IOException e) {
            folder.toFile().deleteOnExit();
        }
    }
}
