package io.prism.verify;

import io.prism.kernels.Kernels;
import java.util.Arrays;

/**
 * The target's distribution over the next token after temperature, top-k and top-p. Reusable; not thread-safe.
 *
 * <p>Holds probabilities [vocabulary] and, when top-k or top-p cut, the kept tokens; its size is that of one row
 * of logits, or three in the worst case.
 */
public final class TokenDistribution {
    /** Tokens summed together when a draw looks for its place. */
    private static final int BLOCK = 512;

    /** Kept tokens looked for first under top-p alone; text of a trained model rarely needs more. */
    private static final int FIRST_NUCLEUS = 64;

    private static final int NUCLEUS_GROWTH = 8;

    private final Kernels kernels;
    private final int vocabulary;
    private final double[] blockSums;
    private SamplingParameters parameters = new SamplingParameters(1, 1, 0);

    /** [vocabulary], by token. */
    private final float[] probabilities;

    /** Tokens that top-k or top-p left, in falling order of probability, and their probabilities; see {@link #cut}. */
    private int[] kept = new int[0];

    private float[] keptProbabilities = new float[0];
    private boolean cut;
    private int size;
    private double total;

    /** @param vocabulary number of logits of a row */
    public TokenDistribution(Kernels kernels, int vocabulary) {
        this.kernels = kernels;
        this.vocabulary = vocabulary;
        this.probabilities = new float[vocabulary];
        this.blockSums = new double[(vocabulary + BLOCK - 1) / BLOCK];
    }

    /**
     * Sets how logits are processed from now on.
     *
     * @param parameters not greedy
     */
    public void configure(SamplingParameters parameters) {
        if (parameters.isGreedy()) {
            throw new IllegalArgumentException("Temperature 0 has no distribution to draw from");
        }
        this.parameters = parameters;
    }

    /**
     * Takes the logits of a row.
     *
     * @return whether they give a distribution: false if they hold NaN or positive infinity, or nothing finite
     */
    public boolean load(float[] logits, int offset) {
        kernels.softmax(logits, offset, vocabulary, parameters.temperature(), probabilities, 0);
        boolean topK = parameters.topK() > 0 && parameters.topK() < vocabulary;
        cut = topK || parameters.topP() < 1;
        if (!cut) {
            takeAll();
        } else if (topK) {
            keep(parameters.topK());
            cutToNucleus(parameters.topP() * total);
        } else {
            int count = Math.min(FIRST_NUCLEUS, vocabulary);
            keep(count);
            while (total < parameters.topP() && count < vocabulary) {
                count = (int) Math.min((long) count * NUCLEUS_GROWTH, vocabulary);
                keep(count);
            }
            cutToNucleus(parameters.topP());
        }
        return total > 0 && total < Double.POSITIVE_INFINITY;
    }

    private void takeAll() {
        size = vocabulary;
        total = 0;
        for (int block = 0; block < blockSums.length; block++) {
            blockSums[block] = blockSum(block);
            total += blockSums[block];
        }
    }

    /** Four sums, so that an addition need not wait for the one before; always the same four, so always the same sum. */
    private double blockSum(int block) {
        int from = block * BLOCK;
        int to = Math.min(from + BLOCK, vocabulary);
        double a = 0;
        double b = 0;
        double c = 0;
        double d = 0;
        int i = from;
        for (; i + 3 < to; i += 4) {
            a += probabilities[i];
            b += probabilities[i + 1];
            c += probabilities[i + 2];
            d += probabilities[i + 3];
        }
        for (; i < to; i++) {
            a += probabilities[i];
        }
        return (a + b) + (c + d);
    }

    private void keep(int count) {
        if (kept.length < count) {
            kept = new int[count];
            keptProbabilities = new float[count];
        }
        kernels.topK(probabilities, 0, vocabulary, count, kept, keptProbabilities);
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

    /**
     * The token at which the cumulative distribution passes {@code u}. Tokens of probability 0 are never drawn.
     *
     * @param u in [0, 1)
     */
    public int draw(double u) {
        float[] weights = cut ? keptProbabilities : probabilities;
        double target = u * total;
        int from = 0;
        if (!cut) {
            int block = 0;
            while (block < blockSums.length - 1 && target >= blockSums[block]) {
                target -= blockSums[block++];
            }
            from = block * BLOCK;
        }
        int last = -1;
        for (int i = from; i < size; i++) {
            float weight = weights[i];
            if (weight > 0) {
                last = i;
                if (target < weight) {
                    break;
                }
                target -= weight;
            }
        }
        // Rounding may carry the target past the end, into a tail without mass: the last token with mass is meant.
        while (last < 0) {
            if (weights[--from] > 0) {
                last = from;
            }
        }
        return cut ? kept[last] : last;
    }

    /** Probability of a token. Takes time in proportion to the kept tokens if top-k or top-p cut. */
    public double probability(int token) {
        if (!cut) {
            return probabilities[token] / total;
        }
        for (int i = 0; i < size; i++) {
            if (kept[i] == token) {
                return keptProbabilities[i] / total;
            }
        }
        return 0;
    }

    /** Tokens that probability was kept for, in no particular order. */
    public int[] support() {
        int[] tokens = new int[size];
        int count = 0;
        for (int i = 0; i < size; i++) {
            if ((cut ? keptProbabilities : probabilities)[i] > 0) {
                tokens[count++] = cut ? kept[i] : i;
            }
        }
        return Arrays.copyOf(tokens, count);
    }
}
