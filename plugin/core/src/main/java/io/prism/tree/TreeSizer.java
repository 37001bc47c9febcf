package io.prism.tree;

import java.util.Arrays;

/**
 * Orders the nodes of a proposal by their worth and cuts it to the best of them. One per session; not thread-safe.
 *
 * <p>Nodes are ordered by falling path probability, which keeps every leading part closed under parents, as a child is at
 * most as probable as its parent (EAGLE-2's reranking, with probabilities as measured instead of the drafter's own). How
 * many of them are worth their rows is for {@link RowSharing} to say.
 */
public final class TreeSizer {
    private final AcceptanceModel acceptance;
    private final TextBias bias;
    private TokenTree proposal = new TokenTree(0);
    private int count;
    private double[] pathProbabilities = new double[64];
    private long[] order = new long[64];
    private int[] nodes = new int[64];
    private int[] renumbered = new int[64];
    private boolean[] onChain = new boolean[64];
    private float[] paths = new float[64];
    private float[] bestPaths = new float[32];

    /** @param bias of the text that is drafted */
    public TreeSizer(AcceptanceModel acceptance, TextBias bias) {
        this.acceptance = acceptance;
        this.bias = bias;
    }

    /**
     * Orders a proposal.
     *
     * @param proposed must stay as it is until its best nodes were {@linkplain #take taken}
     * @param trees whether the target takes trees; if not, only the most promising chain counts
     */
    public void rank(TokenTree proposed, boolean trees) {
        proposal = proposed;
        count = rank(trees);
        for (int i = 0; i < count; i++) {
            nodes[i] = (int) order[i];
        }
    }

    /** Number of ordered nodes; the root is none of them. */
    public int count() {
        return count;
    }

    /** Chance that a node is accepted, with all its ancestors; falling with {@code index}. */
    public double probability(int index) {
        return pathProbabilities[nodes[index]];
    }

    /** Depth of a node. */
    int depth(int index) {
        return proposal.depth(nodes[index]);
    }

    /** How many steps the drafter went: as many as it was asked for, unless its best path became too improbable. */
    public int steps(DraftBudget budget) {
        int steps = 1;
        while (steps < budget.steps()
                && bestPath(steps) > Float.NEGATIVE_INFINITY
                && bestPath(steps) >= budget.leastLogProbability()) {
            steps++;
        }
        return steps;
    }

    /** The drafter's own logarithmic probability of its best path of a depth; minus infinity if there is none. */
    float bestPath(int depth) {
        return depth < bestPaths.length ? bestPaths[depth] : Float.NEGATIVE_INFINITY;
    }

    /** The probability that is worth as much in texts on average. */
    double bestPathInText(int depth) {
        return bias.of(Math.exp(bestPath(depth)));
    }

    /**
     * Cuts the tree out.
     *
     * @param best how many nodes, at most {@link #count()}
     * @param chosen receives the root and the best nodes
     */
    public void take(int best, TokenTree chosen) {
        chosen.reset(proposal.token(0));
        for (int i = 0; i < best; i++) {
            order[i] = nodes[i];
        }
        Arrays.sort(order, 0, best);
        renumbered[0] = 0;
        for (int i = 0; i < best; i++) {
            int node = (int) order[i];
            renumbered[node] =
                    chosen.add(renumbered[proposal.parent(node)], proposal.token(node), proposal.logProbability(node));
        }
    }

    private int rank(boolean trees) {
        int size = proposal.size();
        reserve(size);
        acceptance.pathProbabilities(proposal, bias, pathProbabilities);
        rankPaths();
        boolean all = trees || proposal.isChain();
        if (!all) {
            markBestChain();
        }
        int ordered = 0;
        for (int node = 1; node < size; node++) {
            if (all || onChain[node]) {
                // Non-negative floats order as their bits do; the index below them keeps parents first among equals.
                int falling = Integer.MAX_VALUE - Float.floatToIntBits((float) pathProbabilities[node]);
                order[ordered++] = ((long) falling << 32) | node;
            }
        }
        Arrays.sort(order, 0, ordered);
        return ordered;
    }

    private void rankPaths() {
        Arrays.fill(bestPaths, Float.NEGATIVE_INFINITY);
        paths[0] = 0;
        for (int node = 1; node < proposal.size(); node++) {
            paths[node] = paths[proposal.parent(node)] + proposal.logProbability(node);
            int depth = proposal.depth(node);
            if (depth >= bestPaths.length) {
                int length = bestPaths.length;
                bestPaths = Arrays.copyOf(bestPaths, 2 * depth);
                Arrays.fill(bestPaths, length, bestPaths.length, Float.NEGATIVE_INFINITY);
            }
            bestPaths[depth] = Math.max(bestPaths[depth], paths[node]);
        }
    }

    /** The path from the root whose nodes' path probabilities have the largest sum: the most expected tokens. */
    private void markBestChain() {
        int size = proposal.size();
        double best = -1;
        int leaf = 0;
        for (int node = 1; node < size; node++) {
            double sum = 0;
            for (int up = node; up > 0; up = proposal.parent(up)) {
                sum += pathProbabilities[up];
            }
            if (sum > best) {
                best = sum;
                leaf = node;
            }
        }
        Arrays.fill(onChain, 0, size, false);
        for (int up = leaf; up > 0; up = proposal.parent(up)) {
            onChain[up] = true;
        }
    }

    private void reserve(int size) {
        if (size > order.length) {
            int capacity = Math.max(size, 2 * order.length);
            pathProbabilities = new double[capacity];
            order = new long[capacity];
            nodes = new int[capacity];
            renumbered = new int[capacity];
            onChain = new boolean[capacity];
            paths = new float[capacity];
        }
    }
}
