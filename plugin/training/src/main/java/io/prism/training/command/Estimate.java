package io.prism.training.command;

import io.prism.spi.PrismException;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * What a run will take.
 *
 * @param captureSeconds time of the target's answers
 * @param trainSeconds time of both stages
 * @param memoryBytes memory beside the target's
 * @param diskBytes cache and checkpoints still to be written
 */
record Estimate(double captureSeconds, double trainSeconds, long memoryBytes, long diskBytes) {
    private static final double MARGIN = 1.05;

    String describe() {
        return String.format(
                "about %s%s%s of training, %.1f GB of memory beside the target's, %.1f GB of disk",
                captureSeconds > 0 ? time(captureSeconds) + " of answering" : "",
                captureSeconds > 0 ? " and " : "",
                time(trainSeconds),
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
                        "Not enough room on the disk of %s: found %.1f GB free, expected %.1f GB for hidden states and"
                                + " checkpoints. Make room, take fewer conversations (--conversations), or name another"
                                + " place (--out, --cache).",
                        folder, store.getUsableSpace() / 1e9, diskBytes * MARGIN / 1e9));
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
