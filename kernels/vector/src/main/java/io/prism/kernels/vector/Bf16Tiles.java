package io.prism.kernels.vector;

import static io.prism.kernels.vector.PanelLayout.STEP_BYTES;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Adds to m x n tiles of y, vectors of outputs by rows, the products of BF16 panels.
 *
 * <p>The parameters of every tile: weights {@code w} from byte
 * {@code at}, of the third and fourth vector from byte {@code second}, {@code steps} steps of two inputs; activations {@code x} of the
 * first row from {@code xOffset}, rows {@code xStride} apart; sums {@code y} likewise.
 * The names say vectors x rows. Accumulators are written out one by one because only locals stay in registers.
 */
final class Bf16Tiles {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final int LANES = FLOATS.length();
    private static final long VECTOR_BYTES = FLOATS.vectorByteSize();
    private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
    private static final int UPPER_HALF = 0xFFFF0000;

    private Bf16Tiles() {}

    /** 4 vectors of outputs, 1 row. */
    static void tile4x1(
            MemorySegment w, long at, long second, int steps, float[] x, int xOffset, int xStride, float[] y, int yOffset, int yStride) {
        FloatVector sum00 = FloatVector.fromArray(FLOATS, y, yOffset);
        FloatVector sum01 = FloatVector.fromArray(FLOATS, y, yOffset + LANES);
        FloatVector sum02 = FloatVector.fromArray(FLOATS, y, yOffset + 2 * LANES);
        FloatVector sum03 = FloatVector.fromArray(FLOATS, y, yOffset + 3 * LANES);
        for (int step = 0; step < steps; step++) {
            long from = at + step * STEP_BYTES;
            long fromSecond = second + step * STEP_BYTES;
            int k = xOffset + 2 * step;
            IntVector pair0 = IntVector.fromMemorySegment(INTS, w, from, LITTLE);
            IntVector pair1 = IntVector.fromMemorySegment(INTS, w, from + VECTOR_BYTES, LITTLE);
            IntVector pair2 = IntVector.fromMemorySegment(INTS, w, fromSecond, LITTLE);
            IntVector pair3 = IntVector.fromMemorySegment(INTS, w, fromSecond + VECTOR_BYTES, LITTLE);
            FloatVector even0 = pair0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector even1 = pair1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector even2 = pair2.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector even3 = pair3.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector evenX0 = FloatVector.broadcast(FLOATS, x[k]);
            sum00 = even0.fma(evenX0, sum00);
            sum01 = even1.fma(evenX0, sum01);
            sum02 = even2.fma(evenX0, sum02);
            sum03 = even3.fma(evenX0, sum03);
            FloatVector odd0 = pair0.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector odd1 = pair1.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector odd2 = pair2.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector odd3 = pair3.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector oddX0 = FloatVector.broadcast(FLOATS, x[k + 1]);
            sum00 = odd0.fma(oddX0, sum00);
            sum01 = odd1.fma(oddX0, sum01);
            sum02 = odd2.fma(oddX0, sum02);
            sum03 = odd3.fma(oddX0, sum03);
        }
        sum00.intoArray(y, yOffset);
        sum01.intoArray(y, yOffset + LANES);
        sum02.intoArray(y, yOffset + 2 * LANES);
        sum03.intoArray(y, yOffset + 3 * LANES);
    }

    /** 4 vectors of outputs, 2 rows. */
    static void tile4x2(
            MemorySegment w, long at, long second, int steps, float[] x, int xOffset, int xStride, float[] y, int yOffset, int yStride) {
        FloatVector sum00 = FloatVector.fromArray(FLOATS, y, yOffset);
        FloatVector sum01 = FloatVector.fromArray(FLOATS, y, yOffset + LANES);
        FloatVector sum02 = FloatVector.fromArray(FLOATS, y, yOffset + 2 * LANES);
        FloatVector sum03 = FloatVector.fromArray(FLOATS, y, yOffset + 3 * LANES);
        FloatVector sum10 = FloatVector.fromArray(FLOATS, y, yOffset + yStride);
        FloatVector sum11 = FloatVector.fromArray(FLOATS, y, yOffset + yStride + LANES);
        FloatVector sum12 = FloatVector.fromArray(FLOATS, y, yOffset + yStride + 2 * LANES);
        FloatVector sum13 = FloatVector.fromArray(FLOATS, y, yOffset + yStride + 3 * LANES);
        for (int step = 0; step < steps; step++) {
            long from = at + step * STEP_BYTES;
            long fromSecond = second + step * STEP_BYTES;
            int k = xOffset + 2 * step;
            IntVector pair0 = IntVector.fromMemorySegment(INTS, w, from, LITTLE);
            IntVector pair1 = IntVector.fromMemorySegment(INTS, w, from + VECTOR_BYTES, LITTLE);
            IntVector pair2 = IntVector.fromMemorySegment(INTS, w, fromSecond, LITTLE);
            IntVector pair3 = IntVector.fromMemorySegment(INTS, w, fromSecond + VECTOR_BYTES, LITTLE);
            FloatVector even0 = pair0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector even1 = pair1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector even2 = pair2.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector even3 = pair3.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector evenX0 = FloatVector.broadcast(FLOATS, x[k]);
            sum00 = even0.fma(evenX0, sum00);
            sum01 = even1.fma(evenX0, sum01);
            sum02 = even2.fma(evenX0, sum02);
            sum03 = even3.fma(evenX0, sum03);
            FloatVector evenX1 = FloatVector.broadcast(FLOATS, x[k + xStride]);
            sum10 = even0.fma(evenX1, sum10);
            sum11 = even1.fma(evenX1, sum11);
            sum12 = even2.fma(evenX1, sum12);
            sum13 = even3.fma(evenX1, sum13);
            FloatVector odd0 = pair0.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector odd1 = pair1.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector odd2 = pair2.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector odd3 = pair3.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector oddX0 = FloatVector.broadcast(FLOATS, x[k + 1]);
            sum00 = odd0.fma(oddX0, sum00);
            sum01 = odd1.fma(oddX0, sum01);
            sum02 = odd2.fma(oddX0, sum02);
            sum03 = odd3.fma(oddX0, sum03);
            FloatVector oddX1 = FloatVector.broadcast(FLOATS, x[k + xStride + 1]);
            sum10 = odd0.fma(oddX1, sum10);
            sum11 = odd1.fma(oddX1, sum11);
            sum12 = odd2.fma(oddX1, sum12);
            sum13 = odd3.fma(oddX1, sum13);
        }
        sum00.intoArray(y, yOffset);
        sum01.intoArray(y, yOffset + LANES);
        sum02.intoArray(y, yOffset + 2 * LANES);
        sum03.intoArray(y, yOffset + 3 * LANES);
        sum10.intoArray(y, yOffset + yStride);
        sum11.intoArray(y, yOffset + yStride + LANES);
        sum12.intoArray(y, yOffset + yStride + 2 * LANES);
        sum13.intoArray(y, yOffset + yStride + 3 * LANES);
    }

    /** 4 vectors of outputs, 4 rows. */
    static void tile4x4(
            MemorySegment w, long at, long second, int steps, float[] x, int xOffset, int xStride, float[] y, int yOffset, int yStride) {
        FloatVector sum00 = FloatVector.fromArray(FLOATS, y, yOffset);
        FloatVector sum01 = FloatVector.fromArray(FLOATS, y, yOffset + LANES);
        FloatVector sum02 = FloatVector.fromArray(FLOATS, y, yOffset + 2 * LANES);
        FloatVector sum03 = FloatVector.fromArray(FLOATS, y, yOffset + 3 * LANES);
        FloatVector sum10 = FloatVector.fromArray(FLOATS, y, yOffset + yStride);
        FloatVector sum11 = FloatVector.fromArray(FLOATS, y, yOffset + yStride + LANES);
        FloatVector sum12 = FloatVector.fromArray(FLOATS, y, yOffset + yStride + 2 * LANES);
        FloatVector sum13 = FloatVector.fromArray(FLOATS, y, yOffset + yStride + 3 * LANES);
        FloatVector sum20 = FloatVector.fromArray(FLOATS, y, yOffset + 2 * yStride);
        FloatVector sum21 = FloatVector.fromArray(FLOATS, y, yOffset + 2 * yStride + LANES);
        FloatVector sum22 = FloatVector.fromArray(FLOATS, y, yOffset + 2 * yStride + 2 * LANES);
        FloatVector sum23 = FloatVector.fromArray(FLOATS, y, yOffset + 2 * yStride + 3 * LANES);
        FloatVector sum30 = FloatVector.fromArray(FLOATS, y, yOffset + 3 * yStride);
        FloatVector sum31 = FloatVector.fromArray(FLOATS, y, yOffset + 3 * yStride + LANES);
        FloatVector sum32 = FloatVector.fromArray(FLOATS, y, yOffset + 3 * yStride + 2 * LANES);
        FloatVector sum33 = FloatVector.fromArray(FLOATS, y, yOffset + 3 * yStride + 3 * LANES);
        for (int step = 0; step < steps; step++) {
            long from = at + step * STEP_BYTES;
            long fromSecond = second + step * STEP_BYTES;
            int k = xOffset + 2 * step;
            IntVector pair0 = IntVector.fromMemorySegment(INTS, w, from, LITTLE);
            IntVector pair1 = IntVector.fromMemorySegment(INTS, w, from + VECTOR_BYTES, LITTLE);
            IntVector pair2 = IntVector.fromMemorySegment(INTS, w, fromSecond, LITTLE);
            IntVector pair3 = IntVector.fromMemorySegment(INTS, w, fromSecond + VECTOR_BYTES, LITTLE);
            FloatVector even0 = pair0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector even1 = pair1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector even2 = pair2.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector even3 = pair3.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector evenX0 = FloatVector.broadcast(FLOATS, x[k]);
            sum00 = even0.fma(evenX0, sum00);
            sum01 = even1.fma(evenX0, sum01);
            sum02 = even2.fma(evenX0, sum02);
            sum03 = even3.fma(evenX0, sum03);
            FloatVector evenX1 = FloatVector.broadcast(FLOATS, x[k + xStride]);
            sum10 = even0.fma(evenX1, sum10);
            sum11 = even1.fma(evenX1, sum11);
            sum12 = even2.fma(evenX1, sum12);
            sum13 = even3.fma(evenX1, sum13);
            FloatVector evenX2 = FloatVector.broadcast(FLOATS, x[k + 2 * xStride]);
            sum20 = even0.fma(evenX2, sum20);
            sum21 = even1.fma(evenX2, sum21);
            sum22 = even2.fma(evenX2, sum22);
            sum23 = even3.fma(evenX2, sum23);
            FloatVector evenX3 = FloatVector.broadcast(FLOATS, x[k + 3 * xStride]);
            sum30 = even0.fma(evenX3, sum30);
            sum31 = even1.fma(evenX3, sum31);
            sum32 = even2.fma(evenX3, sum32);
            sum33 = even3.fma(evenX3, sum33);
            FloatVector odd0 = pair0.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector odd1 = pair1.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector odd2 = pair2.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector odd3 = pair3.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector oddX0 = FloatVector.broadcast(FLOATS, x[k + 1]);
            sum00 = odd0.fma(oddX0, sum00);
            sum01 = odd1.fma(oddX0, sum01);
            sum02 = odd2.fma(oddX0, sum02);
            sum03 = odd3.fma(oddX0, sum03);
            FloatVector oddX1 = FloatVector.broadcast(FLOATS, x[k + xStride + 1]);
            sum10 = odd0.fma(oddX1, sum10);
            sum11 = odd1.fma(oddX1, sum11);
            sum12 = odd2.fma(oddX1, sum12);
            sum13 = odd3.fma(oddX1, sum13);
            FloatVector oddX2 = FloatVector.broadcast(FLOATS, x[k + 2 * xStride + 1]);
            sum20 = odd0.fma(oddX2, sum20);
            sum21 = odd1.fma(oddX2, sum21);
            sum22 = odd2.fma(oddX2, sum22);
            sum23 = odd3.fma(oddX2, sum23);
            FloatVector oddX3 = FloatVector.broadcast(FLOATS, x[k + 3 * xStride + 1]);
            sum30 = odd0.fma(oddX3, sum30);
            sum31 = odd1.fma(oddX3, sum31);
            sum32 = odd2.fma(oddX3, sum32);
            sum33 = odd3.fma(oddX3, sum33);
        }
        sum00.intoArray(y, yOffset);
        sum01.intoArray(y, yOffset + LANES);
        sum02.intoArray(y, yOffset + 2 * LANES);
        sum03.intoArray(y, yOffset + 3 * LANES);
        sum10.intoArray(y, yOffset + yStride);
        sum11.intoArray(y, yOffset + yStride + LANES);
        sum12.intoArray(y, yOffset + yStride + 2 * LANES);
        sum13.intoArray(y, yOffset + yStride + 3 * LANES);
        sum20.intoArray(y, yOffset + 2 * yStride);
        sum21.intoArray(y, yOffset + 2 * yStride + LANES);
        sum22.intoArray(y, yOffset + 2 * yStride + 2 * LANES);
        sum23.intoArray(y, yOffset + 2 * yStride + 3 * LANES);
        sum30.intoArray(y, yOffset + 3 * yStride);
        sum31.intoArray(y, yOffset + 3 * yStride + LANES);
        sum32.intoArray(y, yOffset + 3 * yStride + 2 * LANES);
        sum33.intoArray(y, yOffset + 3 * yStride + 3 * LANES);
    }

    /** 2 vectors of outputs, 4 rows. */
    static void tile2x4(
            MemorySegment w, long at, int steps, float[] x, int xOffset, int xStride, float[] y, int yOffset, int yStride) {
        FloatVector sum00 = FloatVector.fromArray(FLOATS, y, yOffset);
        FloatVector sum01 = FloatVector.fromArray(FLOATS, y, yOffset + LANES);
        FloatVector sum10 = FloatVector.fromArray(FLOATS, y, yOffset + yStride);
        FloatVector sum11 = FloatVector.fromArray(FLOATS, y, yOffset + yStride + LANES);
        FloatVector sum20 = FloatVector.fromArray(FLOATS, y, yOffset + 2 * yStride);
        FloatVector sum21 = FloatVector.fromArray(FLOATS, y, yOffset + 2 * yStride + LANES);
        FloatVector sum30 = FloatVector.fromArray(FLOATS, y, yOffset + 3 * yStride);
        FloatVector sum31 = FloatVector.fromArray(FLOATS, y, yOffset + 3 * yStride + LANES);
        for (int step = 0; step < steps; step++) {
            long from = at + step * STEP_BYTES;
            int k = xOffset + 2 * step;
            IntVector pair0 = IntVector.fromMemorySegment(INTS, w, from, LITTLE);
            IntVector pair1 = IntVector.fromMemorySegment(INTS, w, from + VECTOR_BYTES, LITTLE);
            FloatVector even0 = pair0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector even1 = pair1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector evenX0 = FloatVector.broadcast(FLOATS, x[k]);
            sum00 = even0.fma(evenX0, sum00);
            sum01 = even1.fma(evenX0, sum01);
            FloatVector evenX1 = FloatVector.broadcast(FLOATS, x[k + xStride]);
            sum10 = even0.fma(evenX1, sum10);
            sum11 = even1.fma(evenX1, sum11);
            FloatVector evenX2 = FloatVector.broadcast(FLOATS, x[k + 2 * xStride]);
            sum20 = even0.fma(evenX2, sum20);
            sum21 = even1.fma(evenX2, sum21);
            FloatVector evenX3 = FloatVector.broadcast(FLOATS, x[k + 3 * xStride]);
            sum30 = even0.fma(evenX3, sum30);
            sum31 = even1.fma(evenX3, sum31);
            FloatVector odd0 = pair0.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector odd1 = pair1.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector oddX0 = FloatVector.broadcast(FLOATS, x[k + 1]);
            sum00 = odd0.fma(oddX0, sum00);
            sum01 = odd1.fma(oddX0, sum01);
            FloatVector oddX1 = FloatVector.broadcast(FLOATS, x[k + xStride + 1]);
            sum10 = odd0.fma(oddX1, sum10);
            sum11 = odd1.fma(oddX1, sum11);
            FloatVector oddX2 = FloatVector.broadcast(FLOATS, x[k + 2 * xStride + 1]);
            sum20 = odd0.fma(oddX2, sum20);
            sum21 = odd1.fma(oddX2, sum21);
            FloatVector oddX3 = FloatVector.broadcast(FLOATS, x[k + 3 * xStride + 1]);
            sum30 = odd0.fma(oddX3, sum30);
            sum31 = odd1.fma(oddX3, sum31);
        }
        sum00.intoArray(y, yOffset);
        sum01.intoArray(y, yOffset + LANES);
        sum10.intoArray(y, yOffset + yStride);
        sum11.intoArray(y, yOffset + yStride + LANES);
        sum20.intoArray(y, yOffset + 2 * yStride);
        sum21.intoArray(y, yOffset + 2 * yStride + LANES);
        sum30.intoArray(y, yOffset + 3 * yStride);
        sum31.intoArray(y, yOffset + 3 * yStride + LANES);
    }

    /** 2 vectors of outputs, 6 rows. */
    static void tile2x6(
            MemorySegment w, long at, int steps, float[] x, int xOffset, int xStride, float[] y, int yOffset, int yStride) {
        FloatVector sum00 = FloatVector.fromArray(FLOATS, y, yOffset);
        FloatVector sum01 = FloatVector.fromArray(FLOATS, y, yOffset + LANES);
        FloatVector sum10 = FloatVector.fromArray(FLOATS, y, yOffset + yStride);
        FloatVector sum11 = FloatVector.fromArray(FLOATS, y, yOffset + yStride + LANES);
        FloatVector sum20 = FloatVector.fromArray(FLOATS, y, yOffset + 2 * yStride);
        FloatVector sum21 = FloatVector.fromArray(FLOATS, y, yOffset + 2 * yStride + LANES);
        FloatVector sum30 = FloatVector.fromArray(FLOATS, y, yOffset + 3 * yStride);
        FloatVector sum31 = FloatVector.fromArray(FLOATS, y, yOffset + 3 * yStride + LANES);
        FloatVector sum40 = FloatVector.fromArray(FLOATS, y, yOffset + 4 * yStride);
        FloatVector sum41 = FloatVector.fromArray(FLOATS, y, yOffset + 4 * yStride + LANES);
        FloatVector sum50 = FloatVector.fromArray(FLOATS, y, yOffset + 5 * yStride);
        FloatVector sum51 = FloatVector.fromArray(FLOATS, y, yOffset + 5 * yStride + LANES);
        for (int step = 0; step < steps; step++) {
            long from = at + step * STEP_BYTES;
            int k = xOffset + 2 * step;
            IntVector pair0 = IntVector.fromMemorySegment(INTS, w, from, LITTLE);
            IntVector pair1 = IntVector.fromMemorySegment(INTS, w, from + VECTOR_BYTES, LITTLE);
            FloatVector even0 = pair0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector even1 = pair1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector evenX0 = FloatVector.broadcast(FLOATS, x[k]);
            sum00 = even0.fma(evenX0, sum00);
            sum01 = even1.fma(evenX0, sum01);
            FloatVector evenX1 = FloatVector.broadcast(FLOATS, x[k + xStride]);
            sum10 = even0.fma(evenX1, sum10);
            sum11 = even1.fma(evenX1, sum11);
            FloatVector evenX2 = FloatVector.broadcast(FLOATS, x[k + 2 * xStride]);
            sum20 = even0.fma(evenX2, sum20);
            sum21 = even1.fma(evenX2, sum21);
            FloatVector evenX3 = FloatVector.broadcast(FLOATS, x[k + 3 * xStride]);
            sum30 = even0.fma(evenX3, sum30);
            sum31 = even1.fma(evenX3, sum31);
            FloatVector evenX4 = FloatVector.broadcast(FLOATS, x[k + 4 * xStride]);
            sum40 = even0.fma(evenX4, sum40);
            sum41 = even1.fma(evenX4, sum41);
            FloatVector evenX5 = FloatVector.broadcast(FLOATS, x[k + 5 * xStride]);
            sum50 = even0.fma(evenX5, sum50);
            sum51 = even1.fma(evenX5, sum51);
            FloatVector odd0 = pair0.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector odd1 = pair1.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector oddX0 = FloatVector.broadcast(FLOATS, x[k + 1]);
            sum00 = odd0.fma(oddX0, sum00);
            sum01 = odd1.fma(oddX0, sum01);
            FloatVector oddX1 = FloatVector.broadcast(FLOATS, x[k + xStride + 1]);
            sum10 = odd0.fma(oddX1, sum10);
            sum11 = odd1.fma(oddX1, sum11);
            FloatVector oddX2 = FloatVector.broadcast(FLOATS, x[k + 2 * xStride + 1]);
            sum20 = odd0.fma(oddX2, sum20);
            sum21 = odd1.fma(oddX2, sum21);
            FloatVector oddX3 = FloatVector.broadcast(FLOATS, x[k + 3 * xStride + 1]);
            sum30 = odd0.fma(oddX3, sum30);
            sum31 = odd1.fma(oddX3, sum31);
            FloatVector oddX4 = FloatVector.broadcast(FLOATS, x[k + 4 * xStride + 1]);
            sum40 = odd0.fma(oddX4, sum40);
            sum41 = odd1.fma(oddX4, sum41);
            FloatVector oddX5 = FloatVector.broadcast(FLOATS, x[k + 5 * xStride + 1]);
            sum50 = odd0.fma(oddX5, sum50);
            sum51 = odd1.fma(oddX5, sum51);
        }
        sum00.intoArray(y, yOffset);
        sum01.intoArray(y, yOffset + LANES);
        sum10.intoArray(y, yOffset + yStride);
        sum11.intoArray(y, yOffset + yStride + LANES);
        sum20.intoArray(y, yOffset + 2 * yStride);
        sum21.intoArray(y, yOffset + 2 * yStride + LANES);
        sum30.intoArray(y, yOffset + 3 * yStride);
        sum31.intoArray(y, yOffset + 3 * yStride + LANES);
        sum40.intoArray(y, yOffset + 4 * yStride);
        sum41.intoArray(y, yOffset + 4 * yStride + LANES);
        sum50.intoArray(y, yOffset + 5 * yStride);
        sum51.intoArray(y, yOffset + 5 * yStride + LANES);
    }

    /** 2 vectors of outputs, 8 rows. */
    static void tile2x8(
            MemorySegment w, long at, int steps, float[] x, int xOffset, int xStride, float[] y, int yOffset, int yStride) {
        FloatVector sum00 = FloatVector.fromArray(FLOATS, y, yOffset);
        FloatVector sum01 = FloatVector.fromArray(FLOATS, y, yOffset + LANES);
        FloatVector sum10 = FloatVector.fromArray(FLOATS, y, yOffset + yStride);
        FloatVector sum11 = FloatVector.fromArray(FLOATS, y, yOffset + yStride + LANES);
        FloatVector sum20 = FloatVector.fromArray(FLOATS, y, yOffset + 2 * yStride);
        FloatVector sum21 = FloatVector.fromArray(FLOATS, y, yOffset + 2 * yStride + LANES);
        FloatVector sum30 = FloatVector.fromArray(FLOATS, y, yOffset + 3 * yStride);
        FloatVector sum31 = FloatVector.fromArray(FLOATS, y, yOffset + 3 * yStride + LANES);
        FloatVector sum40 = FloatVector.fromArray(FLOATS, y, yOffset + 4 * yStride);
        FloatVector sum41 = FloatVector.fromArray(FLOATS, y, yOffset + 4 * yStride + LANES);
        FloatVector sum50 = FloatVector.fromArray(FLOATS, y, yOffset + 5 * yStride);
        FloatVector sum51 = FloatVector.fromArray(FLOATS, y, yOffset + 5 * yStride + LANES);
        FloatVector sum60 = FloatVector.fromArray(FLOATS, y, yOffset + 6 * yStride);
        FloatVector sum61 = FloatVector.fromArray(FLOATS, y, yOffset + 6 * yStride + LANES);
        FloatVector sum70 = FloatVector.fromArray(FLOATS, y, yOffset + 7 * yStride);
        FloatVector sum71 = FloatVector.fromArray(FLOATS, y, yOffset + 7 * yStride + LANES);
        for (int step = 0; step < steps; step++) {
            long from = at + step * STEP_BYTES;
            int k = xOffset + 2 * step;
            IntVector pair0 = IntVector.fromMemorySegment(INTS, w, from, LITTLE);
            IntVector pair1 = IntVector.fromMemorySegment(INTS, w, from + VECTOR_BYTES, LITTLE);
            FloatVector even0 = pair0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector even1 = pair1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector evenX0 = FloatVector.broadcast(FLOATS, x[k]);
            sum00 = even0.fma(evenX0, sum00);
            sum01 = even1.fma(evenX0, sum01);
            FloatVector evenX1 = FloatVector.broadcast(FLOATS, x[k + xStride]);
            sum10 = even0.fma(evenX1, sum10);
            sum11 = even1.fma(evenX1, sum11);
            FloatVector evenX2 = FloatVector.broadcast(FLOATS, x[k + 2 * xStride]);
            sum20 = even0.fma(evenX2, sum20);
            sum21 = even1.fma(evenX2, sum21);
            FloatVector evenX3 = FloatVector.broadcast(FLOATS, x[k + 3 * xStride]);
            sum30 = even0.fma(evenX3, sum30);
            sum31 = even1.fma(evenX3, sum31);
            FloatVector evenX4 = FloatVector.broadcast(FLOATS, x[k + 4 * xStride]);
            sum40 = even0.fma(evenX4, sum40);
            sum41 = even1.fma(evenX4, sum41);
            FloatVector evenX5 = FloatVector.broadcast(FLOATS, x[k + 5 * xStride]);
            sum50 = even0.fma(evenX5, sum50);
            sum51 = even1.fma(evenX5, sum51);
            FloatVector evenX6 = FloatVector.broadcast(FLOATS, x[k + 6 * xStride]);
            sum60 = even0.fma(evenX6, sum60);
            sum61 = even1.fma(evenX6, sum61);
            FloatVector evenX7 = FloatVector.broadcast(FLOATS, x[k + 7 * xStride]);
            sum70 = even0.fma(evenX7, sum70);
            sum71 = even1.fma(evenX7, sum71);
            FloatVector odd0 = pair0.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector odd1 = pair1.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector oddX0 = FloatVector.broadcast(FLOATS, x[k + 1]);
            sum00 = odd0.fma(oddX0, sum00);
            sum01 = odd1.fma(oddX0, sum01);
            FloatVector oddX1 = FloatVector.broadcast(FLOATS, x[k + xStride + 1]);
            sum10 = odd0.fma(oddX1, sum10);
            sum11 = odd1.fma(oddX1, sum11);
            FloatVector oddX2 = FloatVector.broadcast(FLOATS, x[k + 2 * xStride + 1]);
            sum20 = odd0.fma(oddX2, sum20);
            sum21 = odd1.fma(oddX2, sum21);
            FloatVector oddX3 = FloatVector.broadcast(FLOATS, x[k + 3 * xStride + 1]);
            sum30 = odd0.fma(oddX3, sum30);
            sum31 = odd1.fma(oddX3, sum31);
            FloatVector oddX4 = FloatVector.broadcast(FLOATS, x[k + 4 * xStride + 1]);
            sum40 = odd0.fma(oddX4, sum40);
            sum41 = odd1.fma(oddX4, sum41);
            FloatVector oddX5 = FloatVector.broadcast(FLOATS, x[k + 5 * xStride + 1]);
            sum50 = odd0.fma(oddX5, sum50);
            sum51 = odd1.fma(oddX5, sum51);
            FloatVector oddX6 = FloatVector.broadcast(FLOATS, x[k + 6 * xStride + 1]);
            sum60 = odd0.fma(oddX6, sum60);
            sum61 = odd1.fma(oddX6, sum61);
            FloatVector oddX7 = FloatVector.broadcast(FLOATS, x[k + 7 * xStride + 1]);
            sum70 = odd0.fma(oddX7, sum70);
            sum71 = odd1.fma(oddX7, sum71);
        }
        sum00.intoArray(y, yOffset);
        sum01.intoArray(y, yOffset + LANES);
        sum10.intoArray(y, yOffset + yStride);
        sum11.intoArray(y, yOffset + yStride + LANES);
        sum20.intoArray(y, yOffset + 2 * yStride);
        sum21.intoArray(y, yOffset + 2 * yStride + LANES);
        sum30.intoArray(y, yOffset + 3 * yStride);
        sum31.intoArray(y, yOffset + 3 * yStride + LANES);
        sum40.intoArray(y, yOffset + 4 * yStride);
        sum41.intoArray(y, yOffset + 4 * yStride + LANES);
        sum50.intoArray(y, yOffset + 5 * yStride);
        sum51.intoArray(y, yOffset + 5 * yStride + LANES);
        sum60.intoArray(y, yOffset + 6 * yStride);
        sum61.intoArray(y, yOffset + 6 * yStride + LANES);
        sum70.intoArray(y, yOffset + 7 * yStride);
        sum71.intoArray(y, yOffset + 7 * yStride + LANES);
    }
}
