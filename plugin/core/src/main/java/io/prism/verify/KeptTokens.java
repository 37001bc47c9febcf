package io.prism.verify;

import io.prism.kernels.Kernels;

/**
 * The tokens that top-k and top-p leave of a distribution. Reusable; not thread-safe.
 *
 * <p>Holds one probability of each token, and of those kept.
 */
final class KeptTokens {
    /** Kept tokens looked for first under top-p alone; text of a trained model rarely needs more. */
    private static final int FIRST_NUCLEUS = 64;

    private static final int NUCLEUS_GROWTH = 8;

    private final Kernels kernels;

    /** By token. */
    private float[] probabilities = {};

    /** In falling order of probability, and their probabilities. */
    private int[] kept = {};

    private float[] keptProbabilities = {};
    private int size;
    private double total;

    KeptTokens(Kernels kernels) {
        this.kernels = kernels;
    }

    /**
     * Finds the tokens that are kept.
     *
     * @param logits [length] from {@code offset}
     * @param parameters not greedy
     * @return whether the logits give a distribution: false if they hold NaN or positive infinity, or nothing finite
     */
    boolean find(float[] logits, int offset, int length, SamplingParameters parameters) {
        if (probabilities.length < length) {
            probabilities = new float[length];
        }
        kernels.softmax(logits, offset, length, parameters.temperature(), probabilities, 0);
        if (parameters.topK() > 0 && parameters.topK() < length) {
            keep(parameters.topK(), length);
            cutToNucleus(parameters.topP() * total);
        } else {
            int count = Math.min(FIRST_NUCLEUS, length);
            keep(count, length);
            while (total < parameters.topP() && count < length) {
                count = (int) Math.min((long) count * NUCLEUS_GROWTH, length);
                keep(count, length);
            }
            cutToNucleus(parameters.topP());
        }
        return total > 0 && total < Double.POSITIVE_INFINITY;
    }

    private void keep(int count, int length) {
        if (kept.length < count) {
            kept = new int[count];
            keptProbabilities = new float[count];
        }
        kernels.topK(probabilities, 0, length, count, kept, keptProbabilities);
        size = count;
        total = 0;
        for (int i = 0; i < count; i++) {
            total += keptProbabilities[i];
        }
    }

    /** Keeps the fewest leading tokens whose weights reach {@code mass}, at least one. */
    private void cutToNucleus(double mass) {
        double sum = 0;
        int count = 0;
        while (count < size && keptProbabilities[count] > 0 && (count == 0 || sum < mass)) {
            sum += keptProbabilities[count++];
        }
        size = count;
        total = sum;
    }

    int size() {
        return size;
    }

    /** The first {@link #size} are the tokens kept, the most probable first. */
    int[] tokens() {
        return kept;
    }
}
