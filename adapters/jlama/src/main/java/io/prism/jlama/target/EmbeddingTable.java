package io.prism.jlama.target;

import io.prism.jlama.internals.UnsupportedModelException;
import io.prism.kernels.Matrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Token embeddings, read from the model's own memory; immutable.
 *
 * @param matrix [vocabulary, hidden], F32 or BF16
 * @param multiplier factor on every element, 1 for none
 */
record EmbeddingTable(Matrix matrix, float multiplier) {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort BF16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    EmbeddingTable {
        if (matrix.precision().isQuantized()) {
            throw new UnsupportedModelException(
                    "the embedding is stored as " + matrix.precision() + ", expected F32 or BF16");
        }
    }

    /** Writes the embedding of {@code token} to {@code out} from {@code offset}. */
    void read(int token, float[] out, int offset) {
        readStored(token, out, offset);
        if (multiplier != 1) {
            int width = matrix.columns();
            for (int i = 0; i < width; i++) {
                out[offset + i] *= multiplier;
            }
        }
    }

    /** As {@link #read}, without the multiplier. */
    void readStored(int token, float[] out, int offset) {
        int width = matrix.columns();
        MemorySegment values = matrix.values();
        long first = (long) token * width;
        switch (matrix.precision()) {
            case F32 -> MemorySegment.copy(values, F32, first * Float.BYTES, out, offset, width);
            case BF16 -> {
                for (int i = 0; i < width; i++) {
                    out[offset + i] = Float.intBitsToFloat(values.get(BF16, (first + i) * Short.BYTES) << 16);
                }
            }
            case I8, Q4 -> throw new AssertionError(matrix.precision());
        }
    }
}
