package io.prism.kernels.cuda;

import io.prism.kernels.DraftWeights.RowSource;

/** Rows of an array. */
@SuppressWarnings("ArrayRecordComponent") // read only
record FloatRows(float[] values, int columns) implements RowSource {
    @Override
    public int rows() {
        return values.length / columns;
    }

    @Override
    public void read(int row, float[] out, int offset) {
        System.arraycopy(values, row * columns, out, offset, columns);
    }
}
