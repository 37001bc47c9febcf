package io.prism.kernels.vector;

import io.prism.kernels.Matrix;
import io.prism.kernels.PackedMatrix;
import io.prism.kernels.Precision;
import java.util.List;

/** Stacked matrices read where they are, row-major. */
final class RowMatrix implements PackedMatrix {
    private final Matrix[] stacked;
    private final int rows;

    /** Keeps the sources, which must be alike in columns and precision and outlive this. */
    RowMatrix(List<Matrix> sources) {
        stacked = sources.toArray(Matrix[]::new);
        rows = sources.stream().mapToInt(Matrix::rows).reduce(0, Math::addExact);
    }

    @Override
    public int rows() {
        return rows;
    }

    @Override
    public int columns() {
        return stacked[0].columns();
    }

    @Override
    public Precision precision() {
        return stacked[0].precision();
    }

    @Override
    public long ownBytes() {
        return 0;
    }

    @Override
    public long streamedBytes() {
        long elements = (long) rows * columns();
        return precision().valueBytes(elements) + precision().scaleBytes(elements);
    }

    /** Decodes {@code count} weights of an output from input {@code from} on. */
    void decode(int output, int from, int count, float[] to, int offset) {
        int row = output;
        for (Matrix matrix : stacked) {
            if (row < matrix.rows()) {
                RowDecoder.decode(matrix, (long) row * matrix.columns() + from, count, to, offset);
                return;
            }
            row -= matrix.rows();
        }
        throw new IndexOutOfBoundsException(output);
    }

    /** Nothing to release: the memory is the sources'. */
    @Override
    public void close() {}
}
