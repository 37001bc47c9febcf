package io.prism.spi;

import io.prism.kernels.Activation;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.RotaryTable;

/**
 * Shape of a target's decoder layers, which drafters of the same kind of layer take over.
 *
 * @param hiddenSize elements of a hidden state
 * @param mlpWidth elements between the MLP's projections
 * @param attention shape of the attention
 * @param rotary rotary positions, scaling included, for every position of the target's context
 * @param activation of the MLP
 * @param epsilon of all norms
 */
public record TargetArchitecture(
        int hiddenSize,
        int mlpWidth,
        AttentionShape attention,
        RotaryTable rotary,
        Activation activation,
        float epsilon) {}
