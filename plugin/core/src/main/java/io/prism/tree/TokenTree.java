package io.prism.tree;

import java.util.Arrays;

/**
 * Candidate continuations of a sequence. Node 0 is the root, the last sampled token; every other node has a parent with
 * a smaller index, so parents precede children. Reusable; not thread-safe.
 */
public final class TokenTree {
    private int[] tokens;
    private int[] parents;
    private int[] depths;
    private float[] logProbabilities;
    private int[] firstChildren = {};
    private int size;

    /** Creates a tree that holds only its root. */
    public TokenTree(int rootToken) {
        tokens = new int[16];
        parents = new int[16];
        depths = new int[16];
        logProbabilities = new float[16];
        reset(rootToken);
    }

    /** Removes all nodes but the root, which becomes {@code rootToken}. */
    public void reset(int rootToken) {
        size = 1;
        tokens[0] = rootToken;
        parents[0] = -1;
        depths[0] = 0;
        logProbabilities[0] = 0;
    }

    /**
     * Adds a node.
     *
     * @param logProbability the drafter's estimate of log p(token | path to the parent), at most 0
     * @return its index
     * @throws IllegalArgumentException if {@code parent} does not exist or {@code logProbability} is NaN or positive
     */
    public int add(int parent, int token, float logProbability) {
        if (parent < 0 || parent >= size) {
            throw new IllegalArgumentException("Token tree of " + size + " nodes has no parent " + parent);
        }
        if (!(logProbability <= 0)) {
            throw new IllegalArgumentException(
                    "Log-probability " + logProbability + " of a draft token: expected <= 0");
        }
        if (size == tokens.length) {
            tokens = Arrays.copyOf(tokens, 2 * size);
            parents = Arrays.copyOf(parents, 2 * size);
            depths = Arrays.copyOf(depths, 2 * size);
            logProbabilities = Arrays.copyOf(logProbabilities, 2 * size);
        }
        tokens[size] = token;
        parents[size] = parent;
        depths[size] = depths[parent] + 1;
        logProbabilities[size] = logProbability;
        return size++;
    }

    /** Becomes equal to {@code other}. */
    public void copyFrom(TokenTree other) {
        if (tokens.length < other.size) {
            tokens = new int[other.size];
            parents = new int[other.size];
            depths = new int[other.size];
            logProbabilities = new float[other.size];
        }
        size = other.size;
        System.arraycopy(other.tokens, 0, tokens, 0, size);
        System.arraycopy(other.parents, 0, parents, 0, size);
        System.arraycopy(other.depths, 0, depths, 0, size);
        System.arraycopy(other.logProbabilities, 0, logProbabilities, 0, size);
    }

    /** Number of nodes, the root included. */
    public int size() {
        return size;
    }

    public int token(int node) {
        return tokens[node];
    }

    /** Parent of a node; -1 for the root. */
    public int parent(int node) {
        return parents[node];
    }

    /** Distance from the root. */
    public int depth(int node) {
        return depths[node];
    }

    /** The drafter's log p(token | path to the parent); 0 for the root. */
    public float logProbability(int node) {
        return logProbabilities[node];
    }

    /** The child of {@code parent} with this token, or -1. */
    public int child(int parent, int token) {
        for (int node = parent + 1; node < size; node++) {
            if (parents[node] == parent && tokens[node] == token) {
                return node;
            }
        }
        return -1;
    }

    /** Whether no node has more than one child. */
    public boolean isChain() {
        for (int node = 1; node < size; node++) {
            if (parents[node] != node - 1) {
                return false;
            }
        }
        return true;
    }

    /**
     * Tells which nodes are the most probable child of their parent, by the drafter; the earlier one of equals.
     *
     * @param target holds at least {@link #size()} elements
     */
    void markFirstChoices(boolean[] target) {
        if (firstChildren.length < size) {
            firstChildren = new int[tokens.length];
        }
        Arrays.fill(firstChildren, 0, size, 0);
        Arrays.fill(target, 0, size, false);
        for (int node = 1; node < size; node++) {
            int first = firstChildren[parents[node]];
            if (first == 0 || logProbabilities[node] > logProbabilities[first]) {
                target[first] = false;
                target[node] = true;
                firstChildren[parents[node]] = node;
            }
        }
    }

    /** Copies parents to {@code target}, which holds at least {@link #size()} elements. */
    public void copyParents(int[] target) {
        System.arraycopy(parents, 0, target, 0, size);
    }
}
