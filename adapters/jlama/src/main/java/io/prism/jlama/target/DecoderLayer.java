package io.prism.jlama.target;

import io.prism.kernels.PackedMatrix;
import org.jspecify.annotations.Nullable;

/**
 * Weights of a decoder layer; immutable.
 *
 * @param attentionNorm [hidden]
 * @param qkv query, key and value projections stacked, [qkvWidth, hidden]
 * @param qkvBias [qkvWidth], or null
 * @param output [hidden, queryWidth]
 * @param outputBias [hidden], or null
 * @param mlpNorm [hidden]
 * @param gateUp gate and up projections stacked, [2 mlpWidth, hidden]
 * @param down [hidden, mlpWidth]
 */
@SuppressWarnings("ArrayRecordComponent") // read only
record DecoderLayer(
        float[] attentionNorm,
        PackedMatrix qkv,
        float @Nullable [] qkvBias,
        PackedMatrix output,
        float @Nullable [] outputBias,
        float[] mlpNorm,
        PackedMatrix gateUp,
        PackedMatrix down) {}
