package io.prism.kernels;

/** One conversation's cache on an accelerator. Not thread-safe. */
public interface DraftEngineSession extends AutoCloseable {

    /**
     * Runs a round: writes the cache's entries of {@code rows} positions, from entry {@code length} on, with the module
     * of step 0; then, if {@code steps} is positive, grows a tree after the last of them, step by step. Each step runs
     * the best {@code topK} candidates of the step before and takes the best {@code topK} children of each; the tree is
     * made of the best {@code nodes} candidates of all steps. "Best" is by cumulative log-probability, the earlier first
     * among equals.
     *
     * @param length entries that stay; those behind are overwritten
     * @param embeddings [rows, hidden] of the tokens that follow the positions
     * @param features [rows, {@link DraftWeights#featureWidth}] from {@code featureOffset}
     * @param rows 1 to {@link DraftEngine.Limits#rows()}
     * @param steps 0 to {@link DraftEngine.Limits#steps()}; 0 leaves the tree empty
     * @param topK 1 to {@link DraftEngine.Limits#topK()} and to the number of tokens
     * @param nodes 1 to {@link DraftEngine.Limits#nodes()}
     * @param scoring what is made of logits; with noise it has a key for each step
     * @param round receives what came of it
     * @throws IllegalStateException with the reason, if the accelerator fails; the session must then only be closed
     */
    void run(
            int length,
            float[] embeddings,
            float[] features,
            int featureOffset,
            int rows,
            int steps,
            int topK,
            int nodes,
            DraftScoring scoring,
            DraftRound round);

    /** Gives back the memory of its cache. Never throws. */
    @Override
    void close();
}
