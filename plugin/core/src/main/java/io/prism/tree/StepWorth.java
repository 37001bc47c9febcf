package io.prism.tree;

import java.util.function.IntToDoubleFunction;

/**
 * What one more step of drafting is worth, in tokens, by how probable the drafter holds its best path so far. Learned
 * from proposals; shared by the sessions of a decoder; thread-safe.
 *
 * <p>A step costs the same whether the draft so far is all but certain or a mere guess, but what it adds to the tree that
 * is verified does not. So a draft is best followed as long as its best path is probable enough: deep where the text is
 * plain, hardly at all where it is open. How probable that is depends on the drafter, and on temperature: a drafter's
 * number is its confidence, not a promise. Probabilities are those that the paths would have in texts on average: see {@link
 * TextBias}.
 */
public final class StepWorth {
    /** Lower bounds of the classes of the best path's probability, falling. */
    private static final double[] CLASS_BOUNDS = {0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.02, 0};

    /** Tokens that a step is taken to be worth before anything is known, as a share of the path's probability. */
    private static final double PRIOR_WORTH = 0.8;

    /** Observations that the prior counts for. */
    private static final double PRIOR_OBSERVATIONS = 4;

    /** Least share of a new observation in a mean. */
    private static final double MEAN_STEP = 0.03;

    /** One draft in this many goes one class further than seems to pay, to notice when it does. */
    private static final int EXPLORING = 16;

    private final double[] worth = new double[CLASS_BOUNDS.length];
    private final int[] observations = new int[CLASS_BOUNDS.length];
    private int asked;

    public StepWorth() {
        for (int i = 0; i < worth.length; i++) {
            worth[i] = PRIOR_WORTH * CLASS_BOUNDS[i];
        }
    }

    /**
     * The logarithmic probability of a path, below which following it further does not pay.
     *
     * @param cost of a step, in tokens: its time over what decoding takes for a token
     */
    public synchronized float leastLogProbability(double cost) {
        int paying = 0;
        while (paying < worth.length && worth[paying] >= cost) {
            paying++;
        }
        if (++asked % EXPLORING == 0) {
            paying++;
        }
        return paying == 0 ? 0 : (float) Math.log(CLASS_BOUNDS[Math.min(paying, worth.length) - 1]);
    }

    /**
     * Learns from a proposal: how much better the best tree is with the tokens of each step than without.
     *
     * @param ranked the proposal
     * @param steps how many steps the drafter went
     * @param tokenNanos what decoding takes for a token
     * @param added the time that a number of nodes adds to a pass
     */
    public synchronized void learn(TreeSizer ranked, int steps, double tokenNanos, IntToDoubleFunction added) {
        double before = value(ranked, 1, tokenNanos, added);
        for (int step = 2; step <= steps; step++) {
            double with = value(ranked, step, tokenNanos, added);
            observe(ranked.bestPathInText(step - 1), (with - before) / tokenNanos);
            before = with;
        }
    }

    /** Time that the best tree of at most this depth saves. */
    private static double value(TreeSizer ranked, int depth, double tokenNanos, IntToDoubleFunction added) {
        double best = 0;
        double saved = 0;
        int nodes = 0;
        for (int i = 0; i < ranked.count(); i++) {
            if (ranked.depth(i) <= depth) {
                saved += ranked.probability(i) * tokenNanos;
                best = Math.max(best, saved - added.applyAsDouble(++nodes));
            }
        }
        return best;
    }

    private void observe(double pathProbability, double tokens) {
        int row = 0;
        while (pathProbability < CLASS_BOUNDS[row]) {
            row++;
        }
        double share = Math.max(MEAN_STEP, 1 / (PRIOR_OBSERVATIONS + ++observations[row]));
        worth[row] += share * (tokens - worth[row]);
    }
}
