package io.prism.drafter.beam;

/** What a {@link BeamSearch} asks for distributions: one draft model in one conversation. */
public interface DraftModel {

    /** Number of logits of a row. */
    int draftVocabularySize();

    /** The target's id of a token that logits speak of. */
    int targetToken(int draftToken);

    /** Logits of the last pass, [rows, draftVocabularySize] from element 0. */
    float[] logits();

    /** Runs draft step 1, which gives one row of logits: what follows the root. */
    void begin(int root);

    /**
     * Runs a further draft step: one row of logits for each of some candidates.
     *
     * @param step counted from 0, so at least 1; the candidates' depth
     * @param candidates where tokens and parents are looked up
     * @param beam the candidates to run, in the order of the rows; every parent was run in the step before
     */
    void step(int step, BeamSearch candidates, int[] beam, int count);

    /** The most rows {@link #step} may still run in this round, all its steps together. */
    int remainingRows();
}
