package io.prism.drafter.prism;

import io.prism.kernels.Kernels;
import io.prism.kernels.PackedMatrix;
import org.jspecify.annotations.Nullable;

/**
 * Turns module outputs into logits over the draft vocabulary; immutable.
 *
 * @param matrix [draft vocabulary, d]
 * @param norm [d] before the matrix, or null for none
 * @param multiplier factor on the logits, before the soft cap
 * @param softCap if positive, logits l become softCap x tanh(l / softCap)
 * @param targetIds target id of each draft id, or null if they are the same
 */
@SuppressWarnings("ArrayRecordComponent") // read only
record DraftHead(
        PackedMatrix matrix, float @Nullable [] norm, float multiplier, float softCap, int @Nullable [] targetIds) {

    /**
     * @param x [rows, d]
     * @param scratch at least [rows, d]
     * @param logits receives [rows, draft vocabulary]
     */
    void apply(Kernels kernels, float epsilon, float[] x, int rows, float[] scratch, float[] logits) {
        float[] input = x;
        if (norm != null) {
            kernels.rmsNorm(x, 0, norm, epsilon, rows, matrix.columns(), scratch, 0);
            input = scratch;
        }
        kernels.multiply(matrix, input, 0, rows, logits, 0);
        int length = rows * matrix.rows();
        if (multiplier != 1) {
            for (int i = 0; i < length; i++) {
                logits[i] *= multiplier;
            }
        }
        if (softCap > 0) {
            kernels.softCap(logits, 0, length, softCap);
        }
    }
}
