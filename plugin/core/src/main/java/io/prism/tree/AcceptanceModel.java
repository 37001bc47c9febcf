package io.prism.tree;

import java.util.Arrays;

/**
 * How often draft tokens are accepted, learned from what became of proposals. Shared by the sessions of a decoder;
 * thread-safe.
 *
 * <p>A drafter's log-probability is its confidence, not a promise: the same number may mean 90% from one drafter and 30%
 * from another. Trials (parent accepted; was this child?) are counted by the drafter's probability, by whether it is the
 * drafter's first choice after its parent (which greedy decoding takes far more often than a second choice of the same
 * probability), and by the depth. They are shrunk in two steps as Beta priors do: a cell towards all depths of its
 * probability and choice, that towards a pessimistic share of the drafter's own probability. Old trials fade.
 */
public final class AcceptanceModel {
    /** Lower bounds of the classes of the drafter's probability, falling. */
    private static final double[] CLASS_BOUNDS = {0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0};

    /** Depths from this one on share their cells. */
    private static final int DEPTHS = 6;

    /**
     * What a drafter's probability is worth before anything is known. With 0.6 the first six answers of a 1B model's costs on 8
     * cores were 11% slower for it; what nothing comes of ends with the trial of a new drafter.
     */
    private static final double PRIOR_TRUST = 0.8;

    /** Trials a prior counts for. */
    private static final double PRIOR_TRIALS = 4;

    /** Trials a cell remembers. */
    private static final double MEMORY = 400;

    /** Chance that a path goes one step further, before anything is known: enough to try deeper drafts. */
    private static final double PRIOR_CONTINUATION = 0.8;

    /** Share of a new observation in {@link #continuations}. */
    private static final double CONTINUATION_STEP = 0.03;

    private final double[][] trials = new double[2 * CLASS_BOUNDS.length][DEPTHS + 1];
    private final double[][] successes = new double[2 * CLASS_BOUNDS.length][DEPTHS + 1];
    private boolean[] first = new boolean[64];
    private final double[] continuations;

    /** @param maxSteps the deepest trees of interest */
    public AcceptanceModel(int maxSteps) {
        continuations = new double[maxSteps + 1];
        Arrays.fill(continuations, PRIOR_CONTINUATION);
    }

    /**
     * Fills in the chance of each node to be accepted: it and all its ancestors.
     *
     * @param bias of the text
     * @param pathProbabilities receives one number for each node, 1 for the root
     */
    public synchronized void pathProbabilities(TokenTree tree, TextBias bias, double[] pathProbabilities) {
        if (first.length < tree.size()) {
            first = new boolean[Math.max(tree.size(), 2 * first.length)];
        }
        tree.markFirstChoices(first);
        pathProbabilities[0] = 1;
        for (int node = 1; node < tree.size(); node++) {
            double probability = bias.of(estimate(tree.logProbability(node), first[node], tree.depth(node)));
            pathProbabilities[node] = pathProbabilities[tree.parent(node)] * probability;
        }
    }

    /** Chance that a child is accepted once its parent is. */
    synchronized double estimate(float logProbability, boolean firstChoice, int depth) {
        double probability = Math.exp(logProbability);
        int row = rowOf(probability, firstChoice);
        int column = Math.min(depth, DEPTHS);
        double prior = PRIOR_TRUST * probability;
        double ofClass = (successes[row][0] + PRIOR_TRIALS * prior) / (trials[row][0] + PRIOR_TRIALS);
        return (successes[row][column] + PRIOR_TRIALS * ofClass) / (trials[row][column] + PRIOR_TRIALS);
    }

    /** Chance that a draft of at least {@code depth} steps is accepted down to that depth. */
    public synchronized double reach(int depth) {
        double reach = 1;
        for (int step = 1; step <= depth; step++) {
            reach *= continuations[Math.min(step, continuations.length - 1)];
        }
        return reach;
    }

    /** The parent of a proposed token was accepted; was the token? */
    synchronized void child(float logProbability, boolean firstChoice, int depth, boolean accepted) {
        int row = rowOf(Math.exp(logProbability), firstChoice);
        count(row, 0, accepted);
        count(row, Math.min(depth, DEPTHS), accepted);
    }

    /** A path was accepted down to {@code depth - 1} and had children there; was one of them? */
    synchronized void continuation(int depth, boolean accepted) {
        int step = Math.min(depth, continuations.length - 1);
        continuations[step] += CONTINUATION_STEP * ((accepted ? 1 : 0) - continuations[step]);
    }

    private void count(int row, int column, boolean accepted) {
        if (trials[row][column] >= MEMORY) {
            trials[row][column] *= 1 - 1 / MEMORY;
            successes[row][column] *= 1 - 1 / MEMORY;
        }
        trials[row][column]++;
        if (accepted) {
            successes[row][column]++;
        }
    }

    private static int rowOf(double probability, boolean firstChoice) {
        int row = 0;
        while (probability < CLASS_BOUNDS[row]) {
            row++;
        }
        return firstChoice ? row : CLASS_BOUNDS.length + row;
    }
}
