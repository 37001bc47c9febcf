package io.prism.drafter.beam;

import org.jspecify.annotations.Nullable;

/** What a {@link BeamSearch} asks for distributions: one draft model in one conversation. */
public interface DraftModel {

    /** Number of logits of a row. */
    int draftVocabularySize();

    /** The target's ids of the tokens that logits speak of; null if they are the same. */
    int @Nullable [] targetIds();

    /** Memory that holds the logits of the last pass; may be overwritten. */
    float[] logits();

    /** Where the logits [draftVocabularySize] of a row of the last pass start. */
    int logitsOffset(int row);

    /** Prepares the pass of draft step 1, which gives one row of logits: what follows the root. */
    void prepareFirst(int root);

    /**
     * Prepares the pass of a further draft step: one row of logits for each of some candidates.
     *
     * @param step counted from 0, so at least 1; the candidates' depth
     * @param candidates where tokens and parents are looked up
     * @param beam the candidates to run, in the order of the rows; every parent was run in the step before
     */
    void prepareStep(int step, BeamSearch candidates, int[] beam, int count);

    /** The most rows {@link #prepareStep} may still run in this round, all its steps together. */
    int remainingRows();
}
