package io.prism.kernels.vector;

import io.prism.kernels.Matrix;
import io.prism.kernels.Precision;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** Turns stored weights into floats. */
final class RowDecoder {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Byte> HALF_BLOCK = ByteVector.SPECIES_128;
    private static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));
    private static final int LANES = FLOATS.length();
    private static final int HALF = Precision.BLOCK / 2;
    private static final int PARTS = HALF / LANES;
    private static final int Q4_OFFSET = 8;
    private static final int LOW_NIBBLE = 0xF;
    private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(LITTLE);
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE);

    private RowDecoder() {}

    /**
     * Decodes consecutive elements.
     *
     * @param element the first, counted row by row; with {@code count} a multiple of a block if there are blocks
     */
    static void decode(Matrix matrix, long element, int count, float[] to, int offset) {
        switch (matrix.precision()) {
            case F32 -> MemorySegment.copy(matrix.values(), FLOAT, element * Float.BYTES, to, offset, count);
            case BF16 -> bf16(matrix.values(), element * Short.BYTES, count, to, offset);
            case Q4 -> q4(matrix.values(), matrix.scales(), element, count, to, offset);
            case I8 -> i8(matrix.values(), matrix.scales(), element, count, to, offset);
        }
    }

    private static void bf16(MemorySegment values, long from, int count, float[] to, int offset) {
        int vectors = count / LANES;
        for (int i = 0; i < vectors; i++) {
            IntVector bits = (IntVector) ShortVector.fromMemorySegment(SHORTS, values, from + 2L * LANES * i, LITTLE)
                    .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0);
            bits.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().intoArray(to, offset + i * LANES);
        }
        for (int i = vectors * LANES; i < count; i++) {
            to[offset + i] = Float.intBitsToFloat(values.get(SHORT, from + 2L * i) << 16);
        }
    }

    private static void q4(
            MemorySegment values, MemorySegment scales, long element, int count, float[] to, int offset) {
        long firstBlock = element / Precision.BLOCK;
        for (int block = 0; block < count / Precision.BLOCK; block++) {
            float scale = scales.get(FLOAT, (firstBlock + block) * Float.BYTES);
            ByteVector bytes = ByteVector.fromMemorySegment(HALF_BLOCK, values, (firstBlock + block) * HALF, LITTLE);
            int at = offset + block * Precision.BLOCK;
            for (int part = 0; part < PARTS; part++) {
                IntVector wide = (IntVector) bytes.convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, part);
                scaled(wide.and(LOW_NIBBLE).sub(Q4_OFFSET), scale).intoArray(to, at + part * LANES);
                scaled(wide.lanewise(VectorOperators.LSHR, 4).sub(Q4_OFFSET), scale)
                        .intoArray(to, at + HALF + part * LANES);
            }
        }
    }

    private static void i8(
            MemorySegment values, MemorySegment scales, long element, int count, float[] to, int offset) {
        long firstBlock = element / Precision.BLOCK;
        for (int half = 0; half < count / HALF; half++) {
            float scale = scales.get(FLOAT, (firstBlock + half / 2) * Float.BYTES);
            ByteVector bytes = ByteVector.fromMemorySegment(HALF_BLOCK, values, element + (long) half * HALF, LITTLE);
            for (int part = 0; part < PARTS; part++) {
                IntVector wide = (IntVector) bytes.convertShape(VectorOperators.B2I, INTS, part);
                scaled(wide, scale).intoArray(to, offset + half * HALF + part * LANES);
            }
        }
    }

    private static FloatVector scaled(IntVector integers, float scale) {
        return ((FloatVector) integers.convertShape(VectorOperators.I2F, FLOATS, 0)).mul(scale);
    }
}
