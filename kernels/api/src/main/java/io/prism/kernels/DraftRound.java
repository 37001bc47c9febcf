package io.prism.kernels;

/**
 * What came of a round of drafting: a tree without its root, parents before children, and the cache's entries that were
 * written for committed positions. Reusable; not thread-safe.
 */
public final class DraftRound {
    private int[] tokens = {};
    private int[] parents = {};
    private float[] logProbabilities = {};
    private float[] entries = {};
    private int size;
    private boolean finite;

    /** Makes room; what it holds is lost. Called by engines. */
    public void reset(int nodes, int entryFloats) {
        if (tokens.length < nodes) {
            tokens = new int[nodes];
            parents = new int[nodes];
            logProbabilities = new float[nodes];
        }
        if (entries.length < entryFloats) {
            entries = new float[entryFloats];
        }
        size = 0;
        finite = true;
    }

    /** Adds a node. Called by engines. */
    public void add(int token, int parent, float logProbability) {
        tokens[size] = token;
        parents[size] = parent;
        logProbabilities[size] = logProbability;
        size++;
    }

    /** Notes that a distribution was NaN. Called by engines. */
    public void notFinite() {
        finite = false;
    }

    /** Number of nodes, the root not counted. */
    public int size() {
        return size;
    }

    /** Token of node i + 1. */
    public int token(int i) {
        return tokens[i];
    }

    /** Parent of node i + 1: a node, 0 for the root. */
    public int parent(int i) {
        return parents[i];
    }

    /** Log-probability of node i + 1 given its parent. */
    public float logProbability(int i) {
        return logProbabilities[i];
    }

    /** Whether no distribution was NaN; if one was, the tree means nothing. */
    public boolean isFinite() {
        return finite;
    }

    /** Entries of the positions extended by, [rows, key | value], keys rotated. Engines write it. */
    public float[] entries() {
        return entries;
    }
}
