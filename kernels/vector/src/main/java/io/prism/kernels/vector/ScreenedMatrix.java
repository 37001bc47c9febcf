package io.prism.kernels.vector;

import io.prism.kernels.ArgmaxMatrix;
import io.prism.kernels.Packing;
import io.prism.kernels.Precision;

/**
 * A copy of panels in I8, and for each output a bound on what it may be off.
 *
 * <p>For activations x, the output that {@link PanelProduct} computes with {@link #exact} and the one that it computes
 * with {@link #copy} differ by at most {@link #margins}[output] times the Euclidean norm of x; see {@link ScreeningTask}.
 */
final class ScreenedMatrix implements ArgmaxMatrix {
    /**
     * Up to here reading fewer bytes gains more than decoding I8 costs: 1.5 times the speed at 1 row of BF16, 1.1 at 2, none at 3 and 4;
     * of F32 3.7 and 1.2 at 1 and 8 rows ({@code HeadSearch}, an Intel Xeon with 23 to 30 GB/s, 2026-11). Faster memory narrows that.
     */
    private static final int MOST_BF16_ROWS = 2;

    private static final int MOST_F32_ROWS = 8;

    private final PanelMatrix exact;
    private final PanelMatrix copy;
    private final float[] margins;

    /** @param exact F32 or BF16 weights, which belong to someone else */
    ScreenedMatrix(PanelMatrix exact) {
        this.exact = exact;
        this.copy = new PanelMatrix(Precision.I8, exact.rows(), exact.columns(), Packing.PANELS);
        this.margins = new float[exact.rows()];
    }

    PanelMatrix exact() {
        return exact;
    }

    PanelMatrix copy() {
        return copy;
    }

    /** [outputs] */
    float[] margins() {
        return margins;
    }

    @Override
    public int mostRows() {
        return exact.precision() == Precision.F32 ? MOST_F32_ROWS : MOST_BF16_ROWS;
    }

    @Override
    public long ownBytes() {
        return copy.ownBytes() + (long) margins.length * Float.BYTES;
    }

    @Override
    public void close() {
        copy.close();
    }
}
