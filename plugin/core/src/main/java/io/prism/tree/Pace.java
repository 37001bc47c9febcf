package io.prism.tree;

/**
 * What decoding takes for a token, drafting included, as a share of what plain decoding takes: the price of time, by which
 * the worth of a further draft token is judged. Shared by the sessions of a decoder; thread-safe.
 */
public final class Pace {
    /** Speculation is not taken to gain more than this. */
    private static final double LEAST = 0.05;

    /** Share of a new round in the means. */
    private static final double MEAN_STEP = 0.03;

    private double rounds = 1;
    private double tokens = 1;

    /**
     * A round is over.
     *
     * @param plainRounds its time, in plain rounds
     * @param newTokens tokens it gave
     */
    public synchronized void observe(double plainRounds, int newTokens) {
        rounds += MEAN_STEP * (plainRounds - rounds);
        tokens += MEAN_STEP * (newTokens - tokens);
    }

    /** More than 0, at most 1: where decoding is slower than plain decoding, tokens are worth what they cost there. */
    public synchronized double value() {
        return Math.clamp(rounds / tokens, LEAST, 1);
    }
}
