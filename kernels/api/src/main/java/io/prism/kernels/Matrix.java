package io.prism.kernels;

import java.lang.foreign.MemorySegment;

/**
 * A weight matrix where its owner keeps it: row-major, {@code rows} outputs by {@code columns} inputs, not copied.
 *
 * @param precision how elements are stored
 * @param rows number of rows (outputs), positive
 * @param columns number of columns (inputs), positive; a multiple of {@link Precision#BLOCK} when quantised
 * @param values the elements, exactly {@code precision.valueBytes(rows * columns)} bytes
 * @param scales the F32 scales, {@code rows * columns / 32} of them row by row; {@link MemorySegment#NULL} when not
 *     quantised
 */
public record Matrix(Precision precision, int rows, int columns, MemorySegment values, MemorySegment scales) {

    public Matrix {
        if (rows < 1 || columns < 1) {
            throw new IllegalArgumentException("Matrix of " + rows + " x " + columns + ": both must be positive");
        }
        if (precision.isQuantized() && columns % Precision.BLOCK != 0) {
            throw new IllegalArgumentException(
                    precision + " matrix with " + columns + " columns: expected a multiple of " + Precision.BLOCK);
        }
        long elements = (long) rows * columns;
        checkSize("values", values, precision.valueBytes(elements), precision, rows, columns);
        checkSize("scales", scales, precision.scaleBytes(elements), precision, rows, columns);
    }

    /** An {@link Precision#F32} or {@link Precision#BF16} matrix over {@code values}. */
    public static Matrix dense(Precision precision, int rows, int columns, MemorySegment values) {
        return new Matrix(precision, rows, columns, values, MemorySegment.NULL);
    }

    private static void checkSize(
            String what, MemorySegment segment, long expected, Precision precision, int rows, int columns) {
        if (segment.byteSize() != expected) {
            throw new IllegalArgumentException("%s matrix of %d x %d: %s hold %d bytes, expected %d"
                    .formatted(precision, rows, columns, what, segment.byteSize(), expected));
        }
    }
}
