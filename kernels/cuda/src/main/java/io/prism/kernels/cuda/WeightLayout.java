package io.prism.kernels.cuda;

import io.prism.kernels.Matrix;
import io.prism.kernels.Precision;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * How rows of weights lie on the device (product.cuh): padded with zeros to {@link #PAD} inputs, each part of an input
 * for itself, and quantised blocks interleaved so that 16 bytes of a lane hold its share of several blocks.
 *
 * @param parts inputs of each part; several if a product takes its input from several places
 */
@SuppressWarnings("ArrayRecordComponent") // read only
record WeightLayout(Precision precision, int[] parts) {
    /** PAD of prism.cuh. */
    static final int PAD = 128;

    /** TILE of product.cuh: outputs of a block. */
    static final int TILE = 32;

    private static final int GROUP = 64;
    private static final int LANES = 4;
    private static final ValueLayout.OfInt WORD = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong TWO_WORDS =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    static int padded(int elements) {
        return (elements + PAD - 1) / PAD * PAD;
    }

    static int paddedOutputs(int outputs) {
        return (outputs + TILE - 1) / TILE * TILE;
    }

    /** Inputs of a row, padding included. */
    int inputs() {
        return Arrays.stream(parts).map(WeightLayout::padded).sum();
    }

    /** Inputs of the first part, padding included. */
    int split() {
        return padded(parts[0]);
    }

    int rowBytes() {
        return (int) precision.valueBytes(inputs());
    }

    int scaleRowBytes() {
        return (int) precision.scaleBytes(inputs());
    }

    /** Writes a row of values, {@link #rowBytes} of them, to zeroed memory. */
    void writeRow(Matrix matrix, int row, MemorySegment to, long toOffset) {
        long from = row * precision.valueBytes(matrix.columns());
        long at = toOffset;
        for (int part : parts) {
            long bytes = precision.valueBytes(part);
            switch (precision) {
                case F32, BF16 -> MemorySegment.copy(matrix.values(), from, to, at, bytes);
                case I8 -> interleaveEighths(matrix.values(), from, bytes, to, at);
                case Q4 -> interleaveWords(matrix.values(), from, bytes, to, at);
            }
            from += bytes;
            at += precision.valueBytes(padded(part));
        }
    }

    /** Writes a row of scales, {@link #scaleRowBytes} of them, to zeroed memory. */
    void writeScales(Matrix matrix, int row, MemorySegment to, long toOffset) {
        long from = row * precision.scaleBytes(matrix.columns());
        long at = toOffset;
        for (int part : parts) {
            MemorySegment.copy(matrix.scales(), from, to, at, precision.scaleBytes(part));
            from += precision.scaleBytes(part);
            at += precision.scaleBytes(padded(part));
        }
    }

    /** Two blocks of 32 bytes: eighths of both become neighbours. */
    private static void interleaveEighths(MemorySegment from, long fromOffset, long bytes, MemorySegment to, long at) {
        for (long eighth = 0; eighth < bytes / 8; eighth++) {
            long group = eighth * 8 / GROUP * GROUP;
            int inGroup = (int) (eighth % (GROUP / 8));
            int place = inGroup % LANES * 2 + inGroup / LANES;
            to.set(TWO_WORDS, at + group + place * 8L, from.get(TWO_WORDS, fromOffset + eighth * 8));
        }
    }

    /** Four blocks of 16 bytes: words of all four become neighbours. */
    private static void interleaveWords(MemorySegment from, long fromOffset, long bytes, MemorySegment to, long at) {
        for (long word = 0; word < bytes / 4; word++) {
            long group = word * 4 / GROUP * GROUP;
            int inGroup = (int) (word % (GROUP / 4));
            int place = inGroup % LANES * LANES + inGroup / LANES;
            to.set(WORD, at + group + place * 4L, from.get(WORD, fromOffset + word * 4));
        }
    }
}
