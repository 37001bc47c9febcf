package io.prism.tree;

import java.util.Arrays;

/**
 * Chooses which nodes of a proposal to verify. One per session; not thread-safe.
 *
 * <p>Nodes are taken in falling order of their path probability, which keeps the set closed under parents, as a child is
 * at most as probable as its parent (EAGLE-2's reranking, with probabilities as measured instead of the drafter's own).
 * With n - 1 of them the round is expected to give 1 + (sum of their path probabilities) tokens, in the time of a pass
 * of n rows; the n with the most tokens per time is chosen. That is n = 1, a plain round, where nothing pays.
 */
public final class TreeSizer {
    /** A tree must promise this much more tokens per time than a plain round: estimates err, and plain rounds are sure. */
    static final double LEAST_GAIN = 0.02;

    private final CostModel cost;
    private final AcceptanceModel acceptance;
    private double[] pathProbabilities = new double[64];
    private long[] order = new long[64];
    private int[] renumbered = new int[64];
    private boolean[] onChain = new boolean[64];

    public TreeSizer(CostModel cost, AcceptanceModel acceptance) {
        this.cost = cost;
        this.acceptance = acceptance;
    }

    /**
     * Chooses by what pays.
     *
     * @param proposal what the drafter proposed
     * @param trees whether the target takes trees; if not, the most promising chain is chosen from
     * @param maxRows the most rows of this round's pass, at least 1
     * @param chosen receives the tree to verify; only the root if nothing pays
     * @return expected saving in nanoseconds against plain rounds, drafting not counted; 0 if nothing pays
     */
    public double choose(TokenTree proposal, boolean trees, int maxRows, TokenTree chosen) {
        int ordered = rank(proposal, trees);
        double plain = cost.nanos(1);
        double expected = 1;
        double bestRate = (1 + LEAST_GAIN) / plain;
        int bestRows = 1;
        double saving = 0;
        int most = Math.min(ordered, Math.min(maxRows, cost.maxRows()) - 1);
        for (int count = 1; count <= most; count++) {
            expected += pathProbabilities[(int) order[count - 1]];
            double nanos = cost.nanos(count + 1);
            if (expected / nanos > bestRate) {
                bestRate = expected / nanos;
                bestRows = count + 1;
                saving = expected * plain - nanos;
            }
        }
        copy(proposal, bestRows - 1, chosen);
        return saving;
    }

    /**
     * Takes as many nodes as fit, the most probable first.
     *
     * @param maxRows the most rows of this round's pass, at least 1
     */
    public void takeAll(TokenTree proposal, boolean trees, int maxRows, TokenTree chosen) {
        int ordered = rank(proposal, trees);
        copy(proposal, Math.min(ordered, maxRows - 1), chosen);
    }

    /** Orders nodes but the root by path probability and gives their number. */
    private int rank(TokenTree proposal, boolean trees) {
        int size = proposal.size();
        reserve(size);
        acceptance.pathProbabilities(proposal, pathProbabilities);
        boolean all = trees || proposal.isChain();
        if (!all) {
            markBestChain(proposal);
        }
        int count = 0;
        for (int node = 1; node < size; node++) {
            if (all || onChain[node]) {
                // Non-negative floats order as their bits do; the index below them keeps parents first among equals.
                int falling = Integer.MAX_VALUE - Float.floatToIntBits((float) pathProbabilities[node]);
                order[count++] = ((long) falling << 32) | node;
            }
        }
        Arrays.sort(order, 0, count);
        return count;
    }

    /** The path from the root whose nodes' path probabilities have the largest sum: the most expected tokens. */
    private void markBestChain(TokenTree proposal) {
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

    private void copy(TokenTree proposal, int count, TokenTree chosen) {
        chosen.reset(proposal.token(0));
        for (int i = 0; i < count; i++) {
            order[i] = (int) order[i];
        }
        Arrays.sort(order, 0, count);
        renumbered[0] = 0;
        for (int i = 0; i < count; i++) {
            int node = (int) order[i];
            renumbered[node] =
                    chosen.add(renumbered[proposal.parent(node)], proposal.token(node), proposal.logProbability(node));
        }
    }

    private void reserve(int size) {
        if (size > order.length) {
            int capacity = Math.max(size, 2 * order.length);
            pathProbabilities = new double[capacity];
            order = new long[capacity];
            renumbered = new int[capacity];
            onChain = new boolean[capacity];
        }
    }
}
