package io.prism.drafter.prism;

/** How a module takes [embedding ; hidden state]; immutable. */
sealed interface ModuleInput {

    /**
     * A fusion layer makes one row of both, which is residual stream and attention input at once (PRISM, EAGLE-1/2).
     *
     * @param layer [d, 2d]
     */
    record Fusion(Linear layer) implements ModuleInput {}

    /**
     * Both are normed and together the attention's input, [2d]; the hidden state is the residual stream (EAGLE-3).
     *
     * @param embeddingNorm [d]
     * @param hiddenNorm [d]
     */
    @SuppressWarnings("ArrayRecordComponent") // read only
    record NormedPair(float[] embeddingNorm, float[] hiddenNorm) implements ModuleInput {}
}
