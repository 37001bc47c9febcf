package io.prism.jlama.modelfile;

import io.prism.spi.PrismException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Whether what is to be written fits the disk. Stateless. */
public final class DiskSpace {
    private static final double GIGA = 1e9;

    private DiskSpace() {}

    /**
     * Refuses to begin what can't be finished.
     *
     * @param folder where it is to be written; need not exist yet
     * @throws PrismException that says how much there is and how much is needed
     */
    public static void require(Path folder, long bytes) throws IOException {
        Path existing = folder.toAbsolutePath();
        while (Files.notExists(existing) && existing.getParent() != null) {
            existing = existing.getParent();
        }
        long usable = Files.getFileStore(existing).getUsableSpace();
        if (usable < bytes) {
            throw new PrismException(String.format(
                    Locale.ROOT,
                    "Writing %s takes %.2f GB, but the disk has %.2f GB left: make room, choose a folder on another"
                            + " disk, or a smaller shape or type.",
                    folder,
                    bytes / GIGA,
                    usable / GIGA));
        }
    }
}
