package io.prism.kernels.vector;

import static io.prism.kernels.vector.PanelLayout.STEP_BYTES;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Adds to m x n tiles of y, vectors of outputs by rows, the products of F32 panels.
 *
 * <p>The parameters of every tile: weights {@code w} from byte
 * {@code at}, of the third and fourth vector from byte {@code second}, {@code steps} steps of one input; activations {@code x} of the
 * first row from {@code xOffset}, rows {@code xStride} apart; sums {@code y} likewise.
 * The names say vectors x rows. Accumulators are written out one by one because only locals stay in registers.
 */
final class F32Tiles {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = FLOATS.length();
    private static final long VECTOR_BYTES = FLOATS.vectorByteSize();
    private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;

    private F32Tiles() {}

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
            int k = xOffset + step;
            FloatVector w0 = FloatVector.fromMemorySegment(FLOATS, w, from, LITTLE);
            FloatVector w1 = FloatVector.fromMemorySegment(FLOATS, w, from + VECTOR_BYTES, LITTLE);
            FloatVector w2 = FloatVector.fromMemorySegment(FLOATS, w, fromSecond, LITTLE);
            FloatVector w3 = FloatVector.fromMemorySegment(FLOATS, w, fromSecond + VECTOR_BYTES, LITTLE);
            FloatVector x0 = FloatVector.broadcast(FLOATS, x[k]);
            sum00 = w0.fma(x0, sum00);
            sum01 = w1.fma(x0, sum01);
            sum02 = w2.fma(x0, sum02);
            sum03 = w3.fma(x0, sum03);
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
            int k = xOffset + step;
            FloatVector w0 = FloatVector.fromMemorySegment(FLOATS, w, from, LITTLE);
            FloatVector w1 = FloatVector.fromMemorySegment(FLOATS, w, from + VECTOR_BYTES, LITTLE);
            FloatVector w2 = FloatVector.fromMemorySegment(FLOATS, w, fromSecond, LITTLE);
            FloatVector w3 = FloatVector.fromMemorySegment(FLOATS, w, fromSecond + VECTOR_BYTES, LITTLE);
            FloatVector x0 = FloatVector.broadcast(FLOATS, x[k]);
            sum00 = w0.fma(x0, sum00);
            sum01 = w1.fma(x0, sum01);
            sum02 = w2.fma(x0, sum02);
            sum03 = w3.fma(x0, sum03);
            FloatVector x1 = FloatVector.broadcast(FLOATS, x[k + xStride]);
            sum10 = w0.fma(x1, sum10);
            sum11 = w1.fma(x1, sum11);
            sum12 = w2.fma(x1, sum12);
            sum13 = w3.fma(x1, sum13);
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
            int k = xOffset + step;
            FloatVector w0 = FloatVector.fromMemorySegment(FLOATS, w, from, LITTLE);
            FloatVector w1 = FloatVector.fromMemorySegment(FLOATS, w, from + VECTOR_BYTES, LITTLE);
            FloatVector w2 = FloatVector.fromMemorySegment(FLOATS, w, fromSecond, LITTLE);
            FloatVector w3 = FloatVector.fromMemorySegment(FLOATS, w, fromSecond + VECTOR_BYTES, LITTLE);
            FloatVector x0 = FloatVector.broadcast(FLOATS, x[k]);
            sum00 = w0.fma(x0, sum00);
            sum01 = w1.fma(x0, sum01);
            sum02 = w2.fma(x0, sum02);
            sum03 = w3.fma(x0, sum03);
            FloatVector x1 = FloatVector.broadcast(FLOATS, x[k + xStride]);
            sum10 = w0.fma(x1, sum10);
            sum11 = w1.fma(x1, sum11);
            sum12 = w2.fma(x1, sum12);
            sum13 = w3.fma(x1, sum13);
            FloatVector x2 = FloatVector.broadcast(FLOATS, x[k + 2 * xStride]);
            sum20 = w0.fma(x2, sum20);
            sum21 = w1.fma(x2, sum21);
            sum22 = w2.fma(x2, sum22);
            sum23 = w3.fma(x2, sum23);
            FloatVector x3 = FloatVector.broadcast(FLOATS, x[k + 3 * xStride]);
            sum30 = w0.fma(x3, sum30);
            sum31 = w1.fma(x3, sum31);
            sum32 = w2.fma(x3, sum32);
            sum33 = w3.fma(x3, sum33);
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
            int k = xOffset + step;
            FloatVector w0 = FloatVector.fromMemorySegment(FLOATS, w, from, LITTLE);
            FloatVector w1 = FloatVector.fromMemorySegment(FLOATS, w, from + VECTOR_BYTES, LITTLE);
            FloatVector x0 = FloatVector.broadcast(FLOATS, x[k]);
            sum00 = w0.fma(x0, sum00);
            sum01 = w1.fma(x0, sum01);
            FloatVector x1 = FloatVector.broadcast(FLOATS, x[k + xStride]);
            sum10 = w0.fma(x1, sum10);
            sum11 = w1.fma(x1, sum11);
            FloatVector x2 = FloatVector.broadcast(FLOATS, x[k + 2 * xStride]);
            sum20 = w0.fma(x2, sum20);
            sum21 = w1.fma(x2, sum21);
            FloatVector x3 = FloatVector.broadcast(FLOATS, x[k + 3 * xStride]);
            sum30 = w0.fma(x3, sum30);
            sum31 = w1.fma(x3, sum31);
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
            int k = xOffset + step;
            FloatVector w0 = FloatVector.fromMemorySegment(FLOATS, w, from, LITTLE);
            FloatVector w1 = FloatVector.fromMemorySegment(FLOATS, w, from + VECTOR_BYTES, LITTLE);
            FloatVector x0 = FloatVector.broadcast(FLOATS, x[k]);
            sum00 = w0.fma(x0, sum00);
            sum01 = w1.fma(x0, sum01);
            FloatVector x1 = FloatVector.broadcast(FLOATS, x[k + xStride]);
            sum10 = w0.fma(x1, sum10);
            sum11 = w1.fma(x1, sum11);
            FloatVector x2 = FloatVector.broadcast(FLOATS, x[k + 2 * xStride]);
            sum20 = w0.fma(x2, sum20);
            sum21 = w1.fma(x2, sum21);
            FloatVector x3 = FloatVector.broadcast(FLOATS, x[k + 3 * xStride]);
            sum30 = w0.fma(x3, sum30);
            sum31 = w1.fma(x3, sum31);
            FloatVector x4 = FloatVector.broadcast(FLOATS, x[k + 4 * xStride]);
            sum40 = w0.fma(x4, sum40);
            sum41 = w1.fma(x4, sum41);
            FloatVector x5 = FloatVector.broadcast(FLOATS, x[k + 5 * xStride]);
            sum50 = w0.fma(x5, sum50);
            sum51 = w1.fma(x5, sum51);
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
            int k = xOffset + step;
            FloatVector w0 = FloatVector.fromMemorySegment(FLOATS, w, from, LITTLE);
            FloatVector w1 = FloatVector.fromMemorySegment(FLOATS, w, from + VECTOR_BYTES, LITTLE);
            FloatVector x0 = FloatVector.broadcast(FLOATS, x[k]);
            sum00 = w0.fma(x0, sum00);
            sum01 = w1.fma(x0, sum01);
            FloatVector x1 = FloatVector.broadcast(FLOATS, x[k + xStride]);
            sum10 = w0.fma(x1, sum10);
            sum11 = w1.fma(x1, sum11);
            FloatVector x2 = FloatVector.broadcast(FLOATS, x[k + 2 * xStride]);
            sum20 = w0.fma(x2, sum20);
            sum21 = w1.fma(x2, sum21);
            FloatVector x3 = FloatVector.broadcast(FLOATS, x[k + 3 * xStride]);
            sum30 = w0.fma(x3, sum30);
            sum31 = w1.fma(x3, sum31);
            FloatVector x4 = FloatVector.broadcast(FLOATS, x[k + 4 * xStride]);
            sum40 = w0.fma(x4, sum40);
            sum41 = w1.fma(x4, sum41);
            FloatVector x5 = FloatVector.broadcast(FLOATS, x[k + 5 * xStride]);
            sum50 = w0.fma(x5, sum50);
            sum51 = w1.fma(x5, sum51);
            FloatVector x6 = FloatVector.broadcast(FLOATS, x[k + 6 * xStride]);
            sum60 = w0.fma(x6, sum60);
            sum61 = w1.fma(x6, sum61);
            FloatVector x7 = FloatVector.broadcast(FLOATS, x[k + 7 * xStride]);
            sum70 = w0.fma(x7, sum70);
            sum71 = w1.fma(x7, sum71);
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
