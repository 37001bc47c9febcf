package io.prism.training.files;

import io.prism.spi.PrismException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Writes files and folders so that a kill at any moment leaves the old one or the new one, never half of one. */
public final class AtomicFiles {
    private static final String TEMPORARY = ".tmp";

    private AtomicFiles() {}

    /** Writes to a path. */
    public interface Writer {
        void write(Path path) throws IOException;
    }

    /**
     * Writes a file beside its final place, forces it to disk and moves it there.
     *
     * @throws PrismException if it can't be written, for instance because the disk is full; what was there stays
     */
    public static void writeFile(Path file, Writer writer) {
        Path temporary = temporary(file);
        try {
            Files.createDirectories(parent(file));
            writer.write(temporary);
            force(temporary);
            move(temporary, file);
        } catch (IOException | PrismException e) {
            throw failure(file, temporary, e);
        }
    }

    /** As {@link #writeFile}, for a folder. An older folder of this name is replaced. */
    public static void writeFolder(Path folder, Writer writer) {
        Path temporary = temporary(folder);
        try {
            deleteTree(temporary);
            Files.createDirectories(temporary);
            writer.write(temporary);
            try (Stream<Path> files = Files.list(temporary)) {
                for (Path file : files.toList()) {
                    force(file);
                }
            }
            deleteTree(folder);
            move(temporary, folder);
        } catch (IOException | PrismException e) {
            throw failure(folder, temporary, e);
        }
    }

    /** Deletes a file or a folder with all that is in it, if it is there. */
    public static void deleteTree(Path path) throws IOException {
        if (!Files.exists(path, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        List<Path> all;
        try (Stream<Path> walk = Files.walk(path)) {
            all = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path one : all) {
            Files.delete(one);
        }
    }

    /** Whether the name is one that a write in progress uses. */
    public static boolean isTemporary(Path path) {
        return path.getFileName().toString().endsWith(TEMPORARY);
    }

    private static Path temporary(Path path) {
        return path.resolveSibling(path.getFileName() + TEMPORARY);
    }

    private static Path parent(Path path) {
        Path parent = path.toAbsolutePath().getParent();
        return parent == null ? path.toAbsolutePath() : parent;
    }

    private static void force(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static PrismException failure(Path path, Path temporary, Exception cause) {
        try {
            deleteTree(temporary);
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
        return new PrismException(
                "Can't write " + path + " (" + cause.getMessage()
                        + "). Nothing written earlier is lost: make room on the"
                        + " disk or correct its permissions, then run the same command again to go on.",
                cause);
    }
}
