package io.prism.kernels;

/**
 * Runs whole rounds of drafting on an accelerator: the steps of a round follow each other there, and only the finished
 * tree comes back. Thread-safe; sessions take turns.
 */
public interface DraftEngine extends AutoCloseable {

    /** For people, for instance {@code "cuda (NVIDIA H100, 1200 MB)"}. */
    String description();

    /** What it can do in one round. */
    Limits limits();

    /**
     * Opens a session with an empty cache.
     *
     * @throws IllegalStateException if the accelerator failed, now or before
     */
    DraftEngineSession openSession();

    /** Releases the weights, once all sessions are closed. */
    @Override
    void close();

    /**
     * Most of what a round may ask for.
     *
     * @param rows most positions that one round may extend by
     * @param steps most draft steps
     * @param topK most children of a node, and rows of a step
     * @param nodes most nodes of a tree, its root not counted
     */
    record Limits(int rows, int steps, int topK, int nodes) {}
}
