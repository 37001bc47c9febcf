package io.prism.training.command;

import io.prism.spi.PrismException;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;

/**
 * What a part of a run will take.
 *
 * @param captureSeconds time of the target's answers, or 0
 * @param trainSeconds time of both stages, or 0
 * @param memoryBytes memory beside the target's
 * @param diskBytes cache and checkpoints still to be written
 */
record Estimate(double captureSeconds, double trainSeconds, long memoryBytes, long diskBytes) {
    private static final double MARGIN = 1.05;

    String describe() {
        String time = captureSeconds > 0 ? time(captureSeconds) + " of answering" : time(trainSeconds) + " of training";
        return String.format(
                Locale.ROOT,
                "about %s, %.1f GB of memory beside the target's, %.2f GB of disk",
                time,
                memoryBytes / 1e9,
                diskBytes / 1e9);
    }

    /** @throws PrismException if a folder's disk has no room for it */
    void requireRoom(Path folder) {
        try {
            Files.createDirectories(folder);
            FileStore store = Files.getFileStore(folder);
            if (store.getUsableSpace() < diskBytes * MARGIN) {
                throw new PrismException(String.format(
                        Locale.ROOT,
                        "Not enough room on the disk of %s: found %.1f GB free, expected %.1f GB for hidden states and"
                                + " checkpoints. Make room, take fewer conversations (--conversations), or name another"
                                + " place (--out, --cache).",
                        folder,
                        store.getUsableSpace() / 1e9,
                        diskBytes * MARGIN / 1e9));
            }
        } catch (IOException e) {
            throw new PrismException("Can't write to " + folder + ": " + e.getMessage(), e);
        }
    }

    static String time(double seconds) {
        Duration duration = Duration.ofSeconds(Math.round(seconds));
        if (duration.toHours() > 0) {
            return duration.toHours() + " h " + duration.toMinutesPart() + " min";
        }
        return duration.toMinutes() > 0
                ? duration.toMinutes() + " min " + duration.toSecondsPart() + " s"
                : duration.toSeconds() + " s";
    }
}
