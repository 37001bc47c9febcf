package io.prism.jlama.expansion;

import io.prism.drafter.format.ElementType;
import io.prism.drafter.format.EncodedMatrix;
import io.prism.drafter.format.StoredTensor;
import io.prism.kernels.Matrix;
import io.prism.kernels.Precision;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A tensor as it is stored: rows of blocks that can be copied as they are.
 *
 * @param encoding how its elements are stored
 * @param isVector whether it has one dimension; then it has one row
 * @param columns elements of a row, a multiple of the encoding's block
 * @param data the blocks, row by row
 */
record RawTensor(Encoding encoding, boolean isVector, int rows, int columns, MemorySegment data) {

    /**
     * @param type its name in the file
     * @param block elements that are stored together
     * @param blockBytes bytes of a block
     * @param perColumn elements that the file's shape counts as one column
     */
    record Encoding(String type, int block, int blockBytes, int perColumn) {
        static final Encoding F32 = dense(ElementType.F32);
        static final Encoding BF16 = dense(ElementType.BF16);
        /** As Jlama tells its shape: in elements, of which a byte holds two. */
        static final Encoding Q4 = new Encoding("Q4", Precision.BLOCK, Precision.BLOCK / 2, 1);
        /** As our own draft models tell it: in bytes. */
        static final Encoding PACKED_Q4 = new Encoding("U8", Precision.BLOCK, Precision.BLOCK / 2, 2);
        /** A scale for each block of a quantised matrix. */
        static final Encoding SCALES = new Encoding("F32", Precision.BLOCK, Float.BYTES, Precision.BLOCK);

        static Encoding dense(ElementType type) {
            return new Encoding(type.name(), 1, type.bytes(), 1);
        }

        static Encoding of(Precision precision) {
            return switch (precision) {
                case F32 -> F32;
                case BF16 -> BF16;
                case I8 -> dense(ElementType.I8);
                case Q4 -> Q4;
            };
        }

        /** Bytes of consecutive elements, whole blocks of them. */
        int bytes(int elements) {
            return elements / block * blockBytes;
        }
    }

    /** The elements of a matrix, without its scales. */
    static RawTensor values(Matrix matrix) {
        return new RawTensor(Encoding.of(matrix.precision()), false, matrix.rows(), matrix.columns(), matrix.values());
    }

    /** The scales of a quantised matrix. */
    static RawTensor scales(Matrix matrix) {
        return new RawTensor(Encoding.SCALES, false, matrix.rows(), matrix.columns(), matrix.scales());
    }

    static RawTensor vector(float[] values) {
        return new RawTensor(
                Encoding.F32,
                true,
                1,
                values.length,
                StoredTensor.ofFloats(values, values.length).data());
    }

    /** A tensor of a draft model in canonical form. */
    static RawTensor of(StoredTensor tensor, boolean isScales) {
        Encoding encoding = isScales
                ? Encoding.SCALES
                : tensor.type() == ElementType.U8 ? Encoding.PACKED_Q4 : Encoding.dense(tensor.type());
        boolean isVector = tensor.shape().size() == 1;
        return new RawTensor(
                encoding,
                isVector,
                isVector ? 1 : Math.toIntExact(tensor.shape().getFirst()),
                Math.toIntExact(tensor.shape().getLast()) * encoding.perColumn(),
                tensor.data());
    }

    /** One row, not copied. */
    RawTensor row(long row) {
        long bytes = encoding.bytes(columns);
        return new RawTensor(encoding, true, 1, columns, data.asSlice(row * bytes, bytes));
    }

    /** Elements of a floating type, each times a factor, as F32 or BF16, rounded to nearest. */
    RawTensor scaled(double factor, Precision precision) {
        float[] values = floats();
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (values[i] * factor);
        }
        MemorySegment copy = EncodedMatrix.of(StoredTensor.ofFloats(values, rows, columns), precision)
                .values()
                .data();
        return new RawTensor(Encoding.of(precision), isVector, rows, columns, copy);
    }

    /** Elements of a floating type. */
    float[] floats() {
        ElementType type = ElementType.valueOf(encoding.type());
        return new StoredTensor(type, List.of((long) rows, (long) columns), data).floats();
    }
}
