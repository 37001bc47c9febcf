package io.prism.drafter.prism;

import io.prism.kernels.Kernels;
import io.prism.kernels.PackedMatrix;
import org.jspecify.annotations.Nullable;

/**
 * y = W x + b; immutable.
 *
 * @param weight [outputs, inputs]
 * @param bias [outputs], or null
 */
@SuppressWarnings("ArrayRecordComponent") // read only
record Linear(PackedMatrix weight, float @Nullable [] bias) {

    /** Computes {@code rows} rows of x [rows, inputs] into y [rows, outputs]. */
    void apply(Kernels kernels, float[] x, int rows, float[] y) {
        kernels.multiply(weight, x, 0, rows, y, 0);
        if (bias != null) {
            kernels.addBias(bias, y, 0, rows, weight.rows(), weight.rows());
        }
    }
}
