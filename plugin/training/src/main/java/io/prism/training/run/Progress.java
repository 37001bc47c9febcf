package io.prism.training.run;

import java.util.List;

/**
 * How far a run has come.
 *
 * @param stage 1 or 2
 * @param step steps done within the stage
 * @param history measurements so far
 */
public record Progress(int stage, long step, List<Point> history) {
    public Progress {
        history = List.copyOf(history);
    }

    /**
     * A measurement.
     *
     * @param stage 1 or 2
     * @param step steps done within the stage
     * @param totalStep steps done in all
     * @param tokens answer tokens trained on in all
     * @param loss mean training loss since the measurement before
     * @param marginal acceptance by step, see {@link Acceptance#marginal}
     */
    public record Point(int stage, long step, long totalStep, long tokens, double loss, List<Double> marginal) {
        public Point {
            marginal = List.copyOf(marginal);
        }
    }
}
