package io.prism.kernels;

/**
 * What a round makes of its logits before it takes their softmax: sharpness (l + temperature noise) of the logit l of a token,
 * with {@link GumbelNoise#of} of the step's key and the token's {@linkplain DraftWeights.Head#targetIds target id} as noise.
 *
 * @param sharpness positive
 * @param temperature of the noise; 0 for none
 * @param keys one for each step, of the draws that its children guess; empty without noise
 */
@SuppressWarnings("ArrayRecordComponent") // read only
public record DraftScoring(float sharpness, float temperature, long[] keys) {
    /** The softmax of the logits. */
    public static final DraftScoring PLAIN = new DraftScoring(1, 0);

    public DraftScoring {
        if (!(sharpness > 0) || !(temperature >= 0)) {
            throw new IllegalArgumentException("Sharpness " + sharpness + ", temperature " + temperature
                    + ": expected a positive number and one that is not negative");
        }
    }

    /** Without noise. */
    public DraftScoring(float sharpness) {
        this(sharpness, 0);
    }

    private DraftScoring(float sharpness, float temperature) {
        this(sharpness, temperature, new long[0]);
    }
}
