package io.prism.kernels.vector;

import io.prism.kernels.Matrix;
import io.prism.kernels.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/** Weights and activations for tests and benchmarks. */
final class RandomMatrix {
    /** Weights drawn one by one; larger matrices repeat them, out of step with their rows. */
    private static final long DRAWN = (1 << 20) + 7 * Precision.BLOCK;

    private RandomMatrix() {}

    /** A matrix of weights below 0.05 (dense), 0.03 (Q4) or 0.4 (I8) in magnitude. */
    static Matrix of(Precision precision, int rows, int columns, long seed, Arena arena) {
        SplittableRandom random = new SplittableRandom(seed);
        long elements = (long) rows * columns;
        MemorySegment values = arena.allocate(precision.valueBytes(elements), 64);
        MemorySegment scales =
                precision.isQuantized() ? arena.allocate(precision.scaleBytes(elements), 64) : MemorySegment.NULL;
        long drawn = Math.min(elements, DRAWN);
        switch (precision) {
            case F32 -> {
                for (long i = 0; i < drawn; i++) {
                    values.setAtIndex(ValueLayout.JAVA_FLOAT, i, weight(random));
                }
            }
            case BF16 -> {
                for (long i = 0; i < drawn; i++) {
                    values.setAtIndex(
                            ValueLayout.JAVA_SHORT, i, (short) (Float.floatToRawIntBits(weight(random)) >>> 16));
                }
            }
            case I8, Q4 -> {
                for (long i = 0; i < precision.valueBytes(drawn); i++) {
                    values.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt());
                }
                for (long i = 0; i < drawn / Precision.BLOCK; i++) {
                    scales.setAtIndex(ValueLayout.JAVA_FLOAT, i, 0.001f + 0.002f * random.nextFloat());
                }
                repeat(scales, precision.scaleBytes(drawn));
            }
        }
        repeat(values, precision.valueBytes(drawn));
        return new Matrix(precision, rows, columns, values, scales);
    }

    /** Activations between -1 and 1. */
    static float[] activations(int length, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] x = new float[length];
        for (int i = 0; i < length; i++) {
            x[i] = 2 * random.nextFloat() - 1;
        }
        return x;
    }

    private static void repeat(MemorySegment segment, long filled) {
        for (long done = filled; done < segment.byteSize(); done *= 2) {
            long more = Math.min(done, segment.byteSize() - done);
            MemorySegment.copy(segment, 0, segment, done, more);
        }
    }

    private static float weight(SplittableRandom random) {
        return 0.04f * (random.nextFloat() + random.nextFloat() - 1);
    }
}
