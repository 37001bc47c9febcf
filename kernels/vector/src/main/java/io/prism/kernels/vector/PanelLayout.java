package io.prism.kernels.vector;

import io.prism.kernels.Matrix;
import io.prism.kernels.Precision;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * How {@link PanelMatrix} stores weights: panels of {@value #WIDTH} outputs, each one sequential stream, in which a 32-bit
 * word belongs to one output and neighbouring words to neighbouring outputs. A vector lane is therefore an output
 * whatever the vector length, and activations are broadcast.
 *
 * <p>A <em>step</em> is one word of each output of the panel:
 *
 * <ul>
 *   <li>F32: the weight of one input.
 *   <li>BF16: the weights of two inputs, the first in the low half.
 *   <li>Q4, a block of 32 inputs: a step of F32 scales times 16, then 4 steps of 8 inputs each as fields of 4 bits.
 *   <li>I8, likewise: scales times 256, then 8 steps of 4 inputs, fields of 8 bits holding weight + 128.
 * </ul>
 *
 * <p>In panels for rounded activations the fields of Q4 lie from the lowest bits up, in the inputs' order, and scales are as
 * they are. Otherwise the field of a step's first input ends where the mantissa of a float begins, that of the next lies above it, and so
 * on around the word: see {@link Q4Tiles}.
 *
 * <p>Missing outputs of the last panels are zero.
 */
final class PanelLayout {
    /** Outputs of a panel: as many as the longest vectors have lanes. */
    static final int WIDTH = 16;

    /** The most panels that a tile goes through side by side. */
    static final int MOST_SIDE = 8;

    /** Bytes of a step. */
    static final long STEP_BYTES = WIDTH * Integer.BYTES;

    private static final int MANTISSA_BITS = 23;
    private static final int Q4_BITS = 4;
    private static final float Q4_FACTOR = 16;
    private static final float I8_FACTOR = 256;
    private static final int I8_OFFSETS = 0x80808080;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private PanelLayout() {}

    /** Steps that hold {@code inputs} inputs, scales included. */
    static int steps(Precision precision, int inputs) {
        return switch (precision) {
            case F32 -> inputs;
            case BF16 -> (inputs + 1) / 2;
            case Q4 -> inputs / Precision.BLOCK * (Precision.BLOCK / 8 + 1);
            case I8 -> inputs / Precision.BLOCK * (Precision.BLOCK / 4 + 1);
        };
    }

    /** Bytes of a panel. */
    static long panelBytes(Precision precision, int inputs) {
        return steps(precision, inputs) * STEP_BYTES;
    }

    /**
     * Writes one row of a matrix into its place.
     *
     * @param source the matrix
     * @param row its row
     * @param panels where panels lie, one after the other
     * @param output the output the row is for
     * @param rounded whether the panels are for rounded activations
     */
    static void store(Matrix source, int row, MemorySegment panels, int output, boolean rounded) {
        int inputs = source.columns();
        long at = output / WIDTH * panelBytes(source.precision(), inputs) + (long) (output % WIDTH) * Integer.BYTES;
        long element = (long) row * inputs;
        switch (source.precision()) {
            case F32 -> storeF32(source.values(), element * Float.BYTES, inputs, panels, at);
            case BF16 -> storeBf16(source.values(), element * Short.BYTES, inputs, panels, at);
            case Q4 -> storeQ4(source, element, panels, at, rounded);
            case I8 -> storeI8(source, element, panels, at);
        }
    }

    private static void storeF32(MemorySegment source, long from, int inputs, MemorySegment panels, long at) {
        for (int k = 0; k < inputs; k++) {
            panels.set(INT, at + k * STEP_BYTES, source.get(INT, from + 4L * k));
        }
    }

    private static void storeBf16(MemorySegment source, long from, int inputs, MemorySegment panels, long at) {
        for (int pair = 0; pair < inputs / 2; pair++) {
            panels.set(INT, at + pair * STEP_BYTES, source.get(INT, from + 4L * pair));
        }
        if (inputs % 2 != 0) {
            int last = Short.toUnsignedInt(source.get(SHORT, from + 2L * (inputs - 1)));
            panels.set(INT, at + inputs / 2 * STEP_BYTES, last);
        }
    }

    private static void storeQ4(Matrix source, long element, MemorySegment panels, long at, boolean rounded) {
        float factor = rounded ? 1 : Q4_FACTOR;
        int firstBit = rounded ? 0 : MANTISSA_BITS - Q4_BITS;
        long to = at;
        long from = element / 2;
        for (int block = 0; block < source.columns() / Precision.BLOCK; block++) {
            float scale = source.scales().get(FLOAT, (element / Precision.BLOCK + block) * Float.BYTES);
            panels.set(FLOAT, to, scale * factor);
            for (int half = 0; half < 2; half++) {
                long bytes = source.values().get(LONG, from + 8L * half);
                panels.set(INT, to + (1 + half) * STEP_BYTES, q4Fields(bytes, firstBit));
                panels.set(INT, to + (3 + half) * STEP_BYTES, q4Fields(bytes >>> Q4_BITS, firstBit));
            }
            from += Precision.BLOCK / 2;
            to += 5 * STEP_BYTES;
        }
    }

    /** The low nibbles of eight bytes, in the order of the layout. */
    private static int q4Fields(long bytes, int firstBit) {
        int fields = 0;
        for (int i = 0; i < 8; i++) {
            int nibble = (int) (bytes >>> 8 * i) & 0xF;
            fields |= Integer.rotateLeft(nibble, firstBit + Q4_BITS * i);
        }
        return fields;
    }

    private static void storeI8(Matrix source, long element, MemorySegment panels, long at) {
        long to = at;
        long from = element;
        for (int block = 0; block < source.columns() / Precision.BLOCK; block++) {
            float scale = source.scales().get(FLOAT, (element / Precision.BLOCK + block) * Float.BYTES);
            panels.set(FLOAT, to, scale * I8_FACTOR);
            for (int group = 0; group < 8; group++) {
                int bytes = source.values().get(INT, from + 4L * group) ^ I8_OFFSETS;
                panels.set(INT, to + (1 + group) * STEP_BYTES, Integer.rotateLeft(bytes, MANTISSA_BITS - 8));
            }
            from += Precision.BLOCK;
            to += 9 * STEP_BYTES;
        }
    }
}
