package io.prism.training.network;

/**
 * How much smaller a drafter's inputs are than the hidden states it works on, as ratios of root mean squares. Weights start
 * as much larger for them, or the drafter would hear little of them for a long time.
 *
 * @param embedding of token embeddings
 * @param highestLayer of the output of the highest inner layer it reads; 1 if it reads none
 */
public record InputGains(double embedding, double highestLayer) {
    /** For inputs as large as hidden states. */
    public static final InputGains NONE = new InputGains(1, 1);
}
