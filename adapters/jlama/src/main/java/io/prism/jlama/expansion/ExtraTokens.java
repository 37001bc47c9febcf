package io.prism.jlama.expansion;

import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import io.prism.spi.TargetModel;
import io.prism.spi.TargetSession;
import io.prism.tree.TokenTree;
import java.util.Arrays;
import java.util.Random;

/**
 * What added tokens are: a token that the model never produces, with a factor on its row of the embedding that makes
 * sure of it. Without a factor, a hundred thousand copies of a token of probability 1e-7 would take 1% of the
 * probability, and with it a share of what is sampled.
 *
 * @param token whose row is copied
 * @param factor on its elements; a power of two, so that nothing is rounded
 */
record ExtraTokens(int token, double factor) {
    /** Length of the text in which tokens show what they are worth. */
    private static final int STEPS = 192;

    private static final int MOST_DOUBLINGS = 6;

    /** The copies' share of the probability that is low enough: exp of this. */
    private static final double LOG_SHARE = -20;

    private static final long SEED = 1;

    /**
     * Has the model write a text, sampling at temperature 1, and takes the token whose logit was lowest at its best. If
     * that is negative, it is doubled until all copies together are hopeless.
     *
     * @param firstToken what the text begins with
     * @param copies rows to be added
     */
    static ExtraTokens choose(TargetModel target, int firstToken, int copies) {
        int vocabulary = target.description().vocabularySize();
        float[] highest = new float[vocabulary];
        Arrays.fill(highest, Float.NEGATIVE_INFINITY);
        double lowestTotal = Double.POSITIVE_INFINITY;
        Random random = new Random(SEED);
        TokenTree next = new TokenTree(firstToken);
        try (TargetSession session = target.openSession(HiddenStateRequest.NONE)) {
            int steps = Math.min(STEPS, session.capacity() - 1);
            for (int step = 0; step < steps; step++) {
                PassOutput output = session.verify(next);
                int offset = output.logitsOffset(0);
                for (int token = 0; token < vocabulary; token++) {
                    highest[token] = Math.max(highest[token], output.logits()[offset + token]);
                }
                double total = logSumExp(output.logits(), offset, vocabulary);
                lowestTotal = Math.min(lowestTotal, total);
                int sampled = sample(output.logits(), offset, vocabulary, total, random.nextDouble());
                session.commit(new int[] {0}, 1);
                next.reset(sampled);
            }
        }
        int token = 0;
        for (int other = 1; other < vocabulary; other++) {
            if (highest[other] < highest[token]) {
                token = other;
            }
        }
        return new ExtraTokens(token, factor(highest[token], lowestTotal - Math.log(copies) + LOG_SHARE));
    }

    private static double factor(double logit, double hopeless) {
        double factor = 1;
        for (int i = 0; i < MOST_DOUBLINGS && logit < 0 && logit * factor > hopeless; i++) {
            factor *= 2;
        }
        return factor;
    }

    private static double logSumExp(float[] logits, int offset, int count) {
        double largest = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < count; i++) {
            largest = Math.max(largest, logits[offset + i]);
        }
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += Math.exp(logits[offset + i] - largest);
        }
        return largest + Math.log(sum);
    }

    private static int sample(float[] logits, int offset, int count, double total, double at) {
        double sum = 0;
        for (int token = 0; token < count; token++) {
            sum += Math.exp(logits[offset + token] - total);
            if (sum > at) {
                return token;
            }
        }
        return count - 1;
    }
}
