package io.prism.spi;

import io.prism.kernels.Kernels;

/**
 * What a target lends to draft models that build on it (EAGLE, PRISM). Valid until the target is closed. Thread-safe.
 *
 * @param kernels what packed {@link TargetHead#packed()}, to compute with; belongs to whoever opened the target
 */
public record SharedWeights(
        Kernels kernels, TargetArchitecture architecture, TokenEmbedding embedding, TargetHead head) {}
