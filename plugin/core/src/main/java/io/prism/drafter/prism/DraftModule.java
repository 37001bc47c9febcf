package io.prism.drafter.prism;

import io.prism.kernels.PackedMatrix;

/**
 * One processing module: its input and one transformer layer without norm before attention; immutable.
 *
 * @param qkv query, key and value projections stacked, [qkvWidth, d or 2d]
 * @param output [d, queryWidth]
 * @param mlpNorm [d]
 * @param gateUp gate and up projections stacked, [2 mlpWidth, d]
 * @param down [d, mlpWidth]
 */
@SuppressWarnings("ArrayRecordComponent") // read only
record DraftModule(
        ModuleInput input, Linear qkv, PackedMatrix output, float[] mlpNorm, PackedMatrix gateUp, PackedMatrix down) {}
