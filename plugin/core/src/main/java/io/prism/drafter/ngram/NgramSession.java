package io.prism.drafter.ngram;

import io.prism.spi.DraftSession;
import io.prism.spi.PassOutput;
import io.prism.tree.DraftBudget;
import io.prism.tree.TokenTree;
import java.util.Arrays;

/**
 * Merges the continuations of earlier occurrences of the text's suffix into a tree.
 *
 * <p>Occurrences that match longest are looked up first, the latest first among equals, shorter ones follow until there
 * are {@value #MOST_OCCURRENCES}. An occurrence votes for its continuation with a weight that grows with its match and
 * falls with its rank. A token's probability is its share of the votes among continuations that agree so far, times a
 * confidence that grows with the match: m / (m + 1) for a match of m tokens, as the decoder measures what such numbers
 * are really worth.
 */
final class NgramSession implements DraftSession {
    static final int MOST_OCCURRENCES = 16;

    /** Matches are not told apart beyond this length. */
    static final int MOST_MATCH = 32;

    /** Weight of an occurrence relative to the one before it in the ranking. */
    private static final double RANK_DECAY = 0.9;

    private static final int NONE = -1;

    private final NgramIndex index = new NgramIndex();
    private final int[] positions = new int[MOST_OCCURRENCES];
    private final int[] matches = new int[MOST_OCCURRENCES];
    private int occurrences;

    // A trie of continuations: node 0 stands for the root of the draft.
    private int[] tokens = new int[256];
    private int[] parents = new int[256];
    private int[] depths = new int[256];
    private int[] firstChild = new int[256];
    private int[] sibling = new int[256];
    private int[] longest = new int[256];
    private int[] childCount = new int[256];
    private int[] draftNode = new int[256];
    private double[] votes = new double[256];
    private double[] pathProbability = new double[256];
    private long[] order = new long[256];
    private int size;

    @Override
    public void accept(int[] newTokens, int[] rows, int count, PassOutput output) {
        for (int i = 0; i < count; i++) {
            index.append(newTokens[i]);
        }
    }

    @Override
    public void truncate(int length) {
        index.truncate(length);
    }

    @Override
    public void propose(TokenTree tree, DraftBudget budget) {
        int root = tree.token(0);
        find(root);
        if (occurrences > 0) {
            merge(root, budget.steps());
            select(tree, budget);
        }
    }

    /** Length of the longest match found for the last proposal; 0 if there was none. */
    int longestMatch() {
        int best = 0;
        for (int i = 0; i < occurrences; i++) {
            best = Math.max(best, matches[i]);
        }
        return best;
    }

    private void find(int root) {
        occurrences = 0;
        int longerOrder = Integer.MAX_VALUE;
        for (int i = NgramIndex.ORDERS - 1; i >= 0 && occurrences < MOST_OCCURRENCES; i--) {
            int position = index.latest(i, root);
            for (int seen = 0; position != NONE && seen < MOST_OCCURRENCES; seen++) {
                int match = index.matchLength(position, root, MOST_MATCH);
                // A longer match was in the chain of the longer order.
                if (match >= NgramIndex.order(i) && match < longerOrder && occurrences < MOST_OCCURRENCES) {
                    positions[occurrences] = position;
                    matches[occurrences++] = match;
                }
                position = index.earlier(i, position);
            }
            longerOrder = NgramIndex.order(i);
        }
    }

    private void merge(int root, int steps) {
        size = 0;
        newNode(NONE, root);
        for (int rank = 0; rank < occurrences; rank++) {
            double weight = (double) matches[rank] * matches[rank] * Math.pow(RANK_DECAY, rank);
            int node = 0;
            vote(node, weight, matches[rank]);
            for (int step = 0; step < steps; step++) {
                node = childOf(node, continuation(positions[rank] + step, root, node));
                vote(node, weight, matches[rank]);
            }
        }
    }

    /**
     * The token at a position of the text, the root at its end; beyond, the draft itself, as a text that repeats itself
     * goes on repeating itself.
     */
    private int continuation(int position, int root, int node) {
        int length = index.length();
        if (position < length) {
            return index.token(position);
        }
        if (position == length) {
            return root;
        }
        int depth = position - length;
        int up = node;
        while (depths[up] > depth) {
            up = parents[up];
        }
        return tokens[up];
    }

    private void vote(int node, double weight, int match) {
        votes[node] += weight;
        longest[node] = Math.max(longest[node], match);
    }

    private int childOf(int parent, int token) {
        for (int child = firstChild[parent]; child != NONE; child = sibling[child]) {
            if (tokens[child] == token) {
                return child;
            }
        }
        return newNode(parent, token);
    }

    private int newNode(int parent, int token) {
        if (size == tokens.length) {
            grow();
        }
        int node = size++;
        tokens[node] = token;
        parents[node] = parent;
        firstChild[node] = NONE;
        longest[node] = 0;
        childCount[node] = 0;
        draftNode[node] = NONE;
        votes[node] = 0;
        if (parent == NONE) {
            depths[node] = 0;
            sibling[node] = NONE;
        } else {
            depths[node] = depths[parent] + 1;
            sibling[node] = firstChild[parent];
            firstChild[parent] = node;
        }
        return node;
    }

    private void grow() {
        int capacity = 2 * size;
        tokens = Arrays.copyOf(tokens, capacity);
        parents = Arrays.copyOf(parents, capacity);
        depths = Arrays.copyOf(depths, capacity);
        firstChild = Arrays.copyOf(firstChild, capacity);
        sibling = Arrays.copyOf(sibling, capacity);
        longest = Arrays.copyOf(longest, capacity);
        childCount = Arrays.copyOf(childCount, capacity);
        draftNode = Arrays.copyOf(draftNode, capacity);
        votes = Arrays.copyOf(votes, capacity);
        pathProbability = Arrays.copyOf(pathProbability, capacity);
        order = Arrays.copyOf(order, capacity);
    }

    /** Adds the most probable nodes of the trie to the tree, parents first. */
    private void select(TokenTree tree, DraftBudget budget) {
        pathProbability[0] = 1;
        for (int node = 1; node < size; node++) {
            pathProbability[node] = pathProbability[parents[node]] * probability(node);
            int falling = Integer.MAX_VALUE - Float.floatToIntBits((float) pathProbability[node]);
            order[node - 1] = ((long) falling << 32) | node;
        }
        Arrays.sort(order, 0, size - 1);
        draftNode[0] = 0;
        for (int i = 0; i < size - 1 && tree.size() <= budget.nodes(); i++) {
            int node = (int) order[i];
            int parent = parents[node];
            if (draftNode[parent] != NONE && childCount[parent] < budget.topK()) {
                childCount[parent]++;
                draftNode[node] = tree.add(draftNode[parent], tokens[node], (float) Math.log(probability(node)));
            }
        }
    }

    /** Share of the votes at its parent, times confidence in a match that has grown by the steps drafted since. */
    private double probability(int node) {
        int parent = parents[node];
        int match = longest[parent] + depths[parent];
        return votes[node] / votes[parent] * match / (match + 1);
    }

    @Override
    public void close() {}
}
