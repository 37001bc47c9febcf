package io.prism.verify;

import io.prism.spi.PrismException;

/**
 * How tokens are chosen from the target's logits: temperature first, then top-k, then top-p over what top-k left.
 *
 * @param temperature divides the logits; 0 takes the most probable token (greedy) and makes the others meaningless
 * @param topP keeps the fewest most probable tokens whose probabilities reach this sum; 1 keeps all
 * @param topK keeps this many most probable tokens; 0 keeps all
 */
public record SamplingParameters(float temperature, float topP, int topK) {
    public static final SamplingParameters GREEDY = new SamplingParameters(0, 1, 0);

    /** @throws PrismException if a value is out of range */
    public SamplingParameters {
        if (!(temperature >= 0) || Float.isInfinite(temperature)) {
            throw new PrismException("Temperature " + temperature + ": expected a number of at least 0.");
        }
        if (!(topP > 0 && topP <= 1)) {
            throw new PrismException("Top-p " + topP + ": expected a number above 0 and at most 1 (1 is off).");
        }
        if (topK < 0) {
            throw new PrismException("Top-k " + topK + ": expected a whole number of at least 0 (0 is off).");
        }
    }

    /** Whether top-k or top-p may cut tokens of a vocabulary. */
    boolean cut(int vocabulary) {
        return topP < 1 || (topK > 0 && topK < vocabulary);
    }

    public boolean isGreedy() {
        return temperature == 0;
    }
}
