package io.prism.drafter.format;

import io.prism.kernels.Precision;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/**
 * A matrix stored in another {@link Precision}.
 *
 * @param values the elements: F32, BF16, or bytes ({@code I8} [rows, columns] for {@link Precision#I8}, {@code U8}
 *     [rows, columns / 2] for {@link Precision#Q4})
 * @param scales {@code F32} [rows, columns / 32] when quantised, else empty
 */
public record EncodedMatrix(StoredTensor values, List<StoredTensor> scales) {
    private static final ValueLayout.OfShort I16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final float I8_LARGEST = 127;
    private static final int Q4_OFFSET = 8;
    private static final int Q4_LARGEST = 15;

    /**
     * Encodes a matrix of a floating type.
     *
     * <p>BF16 rounds to nearest even. I8 scales a block by its largest magnitude / 127. Q4 scales it so that the
     * element of largest magnitude becomes -8 exactly.
     *
     * @param matrix [rows, columns]; columns a multiple of {@link Precision#BLOCK} when quantised
     */
    public static EncodedMatrix of(StoredTensor matrix, Precision precision) {
        float[] values = matrix.floats();
        return switch (precision) {
            case F32 -> new EncodedMatrix(
                    StoredTensor.ofFloats(values, matrix.shape().get(0), matrix.shape().get(1)), List.of());
            case BF16 -> new EncodedMatrix(bf16(values, matrix.shape()), List.of());
            case I8 -> i8(values, matrix.shape());
            case Q4 -> q4(values, matrix.shape());
        };
    }

    private static StoredTensor bf16(float[] values, List<Long> shape) {
        MemorySegment data = MemorySegment.ofArray(new byte[values.length * Short.BYTES]);
        for (int i = 0; i < values.length; i++) {
            int bits = Float.floatToRawIntBits(values[i]);
            int rounded = bits + 0x7FFF + ((bits >>> 16) & 1);
            data.setAtIndex(I16, i, (short) (rounded >>> 16));
        }
        return new StoredTensor(ElementType.BF16, shape, data);
    }

    private static EncodedMatrix i8(float[] values, List<Long> shape) {
        byte[] bytes = new byte[values.length];
        float[] scales = new float[values.length / Precision.BLOCK];
        for (int block = 0; block < scales.length; block++) {
            int start = block * Precision.BLOCK;
            float scale = Math.abs(extreme(values, start)) / I8_LARGEST;
            scales[block] = scale;
            for (int i = start; i < start + Precision.BLOCK; i++) {
                bytes[i] = scale == 0 ? 0 : (byte) Math.round(values[i] / scale);
            }
        }
        return new EncodedMatrix(
                new StoredTensor(ElementType.I8, shape, MemorySegment.ofArray(bytes)), List.of(scales(scales, shape)));
    }

    private static EncodedMatrix q4(float[] values, List<Long> shape) {
        int half = Precision.BLOCK / 2;
        byte[] bytes = new byte[values.length / 2];
        float[] scales = new float[values.length / Precision.BLOCK];
        for (int block = 0; block < scales.length; block++) {
            int start = block * Precision.BLOCK;
            float scale = extreme(values, start) / -Q4_OFFSET;
            scales[block] = scale;
            for (int i = 0; i < half; i++) {
                int low = nibble(values[start + i], scale);
                int high = nibble(values[start + half + i], scale);
                bytes[block * half + i] = (byte) (low | high << 4);
            }
        }
        List<Long> packed = List.of(shape.get(0), shape.get(1) / 2);
        return new EncodedMatrix(
                new StoredTensor(ElementType.U8, packed, MemorySegment.ofArray(bytes)), List.of(scales(scales, shape)));
    }

    private static int nibble(float value, float scale) {
        int level = scale == 0 ? Q4_OFFSET : Math.round(value / scale) + Q4_OFFSET;
        return Math.clamp(level, 0, Q4_LARGEST);
    }

    /** The element of largest magnitude of a block, with its sign. */
    private static float extreme(float[] values, int start) {
        float extreme = 0;
        for (int i = start; i < start + Precision.BLOCK; i++) {
            if (Math.abs(values[i]) > Math.abs(extreme)) {
                extreme = values[i];
            }
        }
        return extreme;
    }

    private static StoredTensor scales(float[] scales, List<Long> shape) {
        return StoredTensor.ofFloats(scales, shape.get(0), shape.get(1) / Precision.BLOCK);
    }
}
