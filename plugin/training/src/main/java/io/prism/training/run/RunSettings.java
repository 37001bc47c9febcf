package io.prism.training.run;

import io.prism.spi.PrismException;

/**
 * How a run goes about it; but for the number of threads, which decides the order of sums, nothing here
 * changes the weights it ends with.
 *
 * @param checkpointSteps steps between checkpoints, each with a validation: a kill loses at most these
 * @param validationSteps draft steps validated
 * @param blockTokens tokens of the cache in memory at a time
 * @param threads to compute with
 */
public record RunSettings(int checkpointSteps, int validationSteps, long blockTokens, int threads) {

    /** @throws PrismException if a value is not positive */
    public RunSettings {
        if (checkpointSteps < 1 || validationSteps < 1 || blockTokens < 1 || threads < 1) {
            throw new PrismException(
                    "Checkpoint every " + checkpointSteps + " steps, " + validationSteps + " validation steps, "
                            + blockTokens + " tokens in memory, " + threads + " threads: expected at least 1 of each.");
        }
    }
}
