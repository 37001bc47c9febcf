package io.prism.training.run;

import io.prism.training.run.Progress.Point;
import java.nio.file.Path;
import java.util.List;

/**
 * What a run has come to, read from its newest checkpoint.
 *
 * @param name of its folder
 * @param recipe kind of drafter, as on the command line
 * @param keyValues whose keys and values it was trained with
 * @param tokens answer tokens trained on
 * @param history measurements, at least one
 */
public record RunSummary(String name, String recipe, String keyValues, long tokens, List<Point> history) {
    public RunSummary {
        history = List.copyOf(history);
    }

    /** @throws io.prism.spi.PrismException if there is no checkpoint in the folder, or it is damaged */
    public static RunSummary of(Path folder) {
        return Checkpoints.summary(folder);
    }

    /** The last measurement. */
    public Acceptance acceptance() {
        return new Acceptance(history.getLast().marginal());
    }
}
