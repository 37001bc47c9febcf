package io.prism.spi;

/**
 * What a drafter may want to know of a target.
 *
 * @param architecture kind of model, for instance {@code LLAMA}
 * @param hiddenSize elements of a hidden state
 * @param vocabularySize rows of the head
 * @param layers number of decoder layers
 * @param contextLength the most positions a session may hold
 * @param fingerprint identifies tokenizer and embedding, equal for two loads of the same model: the tokenizer's part,
 *     a dot, the embedding's part
 */
public record TargetDescription(
        String architecture, int hiddenSize, int vocabularySize, int layers, int contextLength, String fingerprint) {

    /** The part of the fingerprint that models with the same tokens share. */
    public String tokenizerFingerprint() {
        int dot = fingerprint.indexOf('.');
        return dot < 0 ? fingerprint : fingerprint.substring(0, dot);
    }
}
