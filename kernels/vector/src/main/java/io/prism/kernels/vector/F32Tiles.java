package io.prism.kernels.vector;

import static io.prism.kernels.vector.PanelLayout.STEP_BYTES;
import static io.prism.kernels.vector.PanelLayout.WIDTH;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Adds the products of F32 panels to tiles of y; a step is one input.
 *
 * <p>Parameters of every tile: weights {@code w}, in which the first panel's steps begin at byte {@code at} and panels are
 * {@code panelBytes} apart; activations from {@code x[xAt]}, the tile's rows interleaved; sums in {@code y} from
 * {@code yAt}, rows {@code yStride} apart. A tile covers one vector of each panel.
 *
 * <p>Each panel is a stream of its own: several at once keep more cache lines on their way. Bodies hold one step
 * because the JIT compiler spills accumulators in longer ones, and a slice for each step because it checks bounds once.
 */
final class F32Tiles {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final long VECTOR_BYTES = FLOATS.vectorByteSize();
    private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;

    private F32Tiles() {}

    /** 3 panels, 1 row. */
    static void tile3x1(
            MemorySegment w, long at, long panelBytes, int steps, float[] x, int xAt, float[] y, int yAt, int yStride) {
        FloatVector sum0a = FloatVector.fromArray(FLOATS, y, yAt);
        FloatVector sum0b = FloatVector.fromArray(FLOATS, y, yAt + WIDTH);
        FloatVector sum0c = FloatVector.fromArray(FLOATS, y, yAt + 2 * WIDTH);
        int in = xAt;
        for (int step = 0; step < steps; step++) {
            MemorySegment stepA = w.asSlice(at + step * STEP_BYTES, VECTOR_BYTES);
            FloatVector weighta = FloatVector.fromMemorySegment(FLOATS, stepA, 0, LITTLE);
            MemorySegment stepB = w.asSlice(at + step * STEP_BYTES + panelBytes, VECTOR_BYTES);
            FloatVector weightb = FloatVector.fromMemorySegment(FLOATS, stepB, 0, LITTLE);
            MemorySegment stepC = w.asSlice(at + step * STEP_BYTES + 2 * panelBytes, VECTOR_BYTES);
            FloatVector weightc = FloatVector.fromMemorySegment(FLOATS, stepC, 0, LITTLE);
            FloatVector x0 = FloatVector.broadcast(FLOATS, x[in]);
            sum0a = weighta.fma(x0, sum0a);
            sum0b = weightb.fma(x0, sum0b);
            sum0c = weightc.fma(x0, sum0c);
            in++;
        }
        sum0a.intoArray(y, yAt);
        sum0b.intoArray(y, yAt + WIDTH);
        sum0c.intoArray(y, yAt + 2 * WIDTH);
    }

    /** 3 panels, 2 rows. */
    static void tile3x2(
            MemorySegment w, long at, long panelBytes, int steps, float[] x, int xAt, float[] y, int yAt, int yStride) {
        FloatVector sum0a = FloatVector.fromArray(FLOATS, y, yAt);
        FloatVector sum0b = FloatVector.fromArray(FLOATS, y, yAt + WIDTH);
        FloatVector sum0c = FloatVector.fromArray(FLOATS, y, yAt + 2 * WIDTH);
        FloatVector sum1a = FloatVector.fromArray(FLOATS, y, yAt + yStride);
        FloatVector sum1b = FloatVector.fromArray(FLOATS, y, yAt + yStride + WIDTH);
        FloatVector sum1c = FloatVector.fromArray(FLOATS, y, yAt + yStride + 2 * WIDTH);
        int in = xAt;
        for (int step = 0; step < steps; step++) {
            MemorySegment stepA = w.asSlice(at + step * STEP_BYTES, VECTOR_BYTES);
            FloatVector weighta = FloatVector.fromMemorySegment(FLOATS, stepA, 0, LITTLE);
            MemorySegment stepB = w.asSlice(at + step * STEP_BYTES + panelBytes, VECTOR_BYTES);
            FloatVector weightb = FloatVector.fromMemorySegment(FLOATS, stepB, 0, LITTLE);
            MemorySegment stepC = w.asSlice(at + step * STEP_BYTES + 2 * panelBytes, VECTOR_BYTES);
            FloatVector weightc = FloatVector.fromMemorySegment(FLOATS, stepC, 0, LITTLE);
            FloatVector x0 = FloatVector.broadcast(FLOATS, x[in]);
            sum0a = weighta.fma(x0, sum0a);
            sum0b = weightb.fma(x0, sum0b);
            sum0c = weightc.fma(x0, sum0c);
            FloatVector x1 = FloatVector.broadcast(FLOATS, x[in + 1]);
            sum1a = weighta.fma(x1, sum1a);
            sum1b = weightb.fma(x1, sum1b);
            sum1c = weightc.fma(x1, sum1c);
            in += 2;
        }
        sum0a.intoArray(y, yAt);
        sum0b.intoArray(y, yAt + WIDTH);
        sum0c.intoArray(y, yAt + 2 * WIDTH);
        sum1a.intoArray(y, yAt + yStride);
        sum1b.intoArray(y, yAt + yStride + WIDTH);
        sum1c.intoArray(y, yAt + yStride + 2 * WIDTH);
    }

    /** 3 panels, 4 rows. */
    static void tile3x4(
            MemorySegment w, long at, long panelBytes, int steps, float[] x, int xAt, float[] y, int yAt, int yStride) {
        FloatVector sum0a = FloatVector.fromArray(FLOATS, y, yAt);
        FloatVector sum0b = FloatVector.fromArray(FLOATS, y, yAt + WIDTH);
        FloatVector sum0c = FloatVector.fromArray(FLOATS, y, yAt + 2 * WIDTH);
        FloatVector sum1a = FloatVector.fromArray(FLOATS, y, yAt + yStride);
        FloatVector sum1b = FloatVector.fromArray(FLOATS, y, yAt + yStride + WIDTH);
        FloatVector sum1c = FloatVector.fromArray(FLOATS, y, yAt + yStride + 2 * WIDTH);
        FloatVector sum2a = FloatVector.fromArray(FLOATS, y, yAt + 2 * yStride);
        FloatVector sum2b = FloatVector.fromArray(FLOATS, y, yAt + 2 * yStride + WIDTH);
        FloatVector sum2c = FloatVector.fromArray(FLOATS, y, yAt + 2 * yStride + 2 * WIDTH);
        FloatVector sum3a = FloatVector.fromArray(FLOATS, y, yAt + 3 * yStride);
        FloatVector sum3b = FloatVector.fromArray(FLOATS, y, yAt + 3 * yStride + WIDTH);
        FloatVector sum3c = FloatVector.fromArray(FLOATS, y, yAt + 3 * yStride + 2 * WIDTH);
        int in = xAt;
        for (int step = 0; step < steps; step++) {
            MemorySegment stepA = w.asSlice(at + step * STEP_BYTES, VECTOR_BYTES);
            FloatVector weighta = FloatVector.fromMemorySegment(FLOATS, stepA, 0, LITTLE);
            MemorySegment stepB = w.asSlice(at + step * STEP_BYTES + panelBytes, VECTOR_BYTES);
            FloatVector weightb = FloatVector.fromMemorySegment(FLOATS, stepB, 0, LITTLE);
            MemorySegment stepC = w.asSlice(at + step * STEP_BYTES + 2 * panelBytes, VECTOR_BYTES);
            FloatVector weightc = FloatVector.fromMemorySegment(FLOATS, stepC, 0, LITTLE);
            FloatVector x0 = FloatVector.broadcast(FLOATS, x[in]);
            sum0a = weighta.fma(x0, sum0a);
            sum0b = weightb.fma(x0, sum0b);
            sum0c = weightc.fma(x0, sum0c);
            FloatVector x1 = FloatVector.broadcast(FLOATS, x[in + 1]);
            sum1a = weighta.fma(x1, sum1a);
            sum1b = weightb.fma(x1, sum1b);
            sum1c = weightc.fma(x1, sum1c);
            FloatVector x2 = FloatVector.broadcast(FLOATS, x[in + 2]);
            sum2a = weighta.fma(x2, sum2a);
            sum2b = weightb.fma(x2, sum2b);
            sum2c = weightc.fma(x2, sum2c);
            FloatVector x3 = FloatVector.broadcast(FLOATS, x[in + 3]);
            sum3a = weighta.fma(x3, sum3a);
            sum3b = weightb.fma(x3, sum3b);
            sum3c = weightc.fma(x3, sum3c);
            in += 4;
        }
        sum0a.intoArray(y, yAt);
        sum0b.intoArray(y, yAt + WIDTH);
        sum0c.intoArray(y, yAt + 2 * WIDTH);
        sum1a.intoArray(y, yAt + yStride);
        sum1b.intoArray(y, yAt + yStride + WIDTH);
        sum1c.intoArray(y, yAt + yStride + 2 * WIDTH);
        sum2a.intoArray(y, yAt + 2 * yStride);
        sum2b.intoArray(y, yAt + 2 * yStride + WIDTH);
        sum2c.intoArray(y, yAt + 2 * yStride + 2 * WIDTH);
        sum3a.intoArray(y, yAt + 3 * yStride);
        sum3b.intoArray(y, yAt + 3 * yStride + WIDTH);
        sum3c.intoArray(y, yAt + 3 * yStride + 2 * WIDTH);
    }

    /** 3 panels, 6 rows. */
    static void tile3x6(
            MemorySegment w, long at, long panelBytes, int steps, float[] x, int xAt, float[] y, int yAt, int yStride) {
        FloatVector sum0a = FloatVector.fromArray(FLOATS, y, yAt);
        FloatVector sum0b = FloatVector.fromArray(FLOATS, y, yAt + WIDTH);
        FloatVector sum0c = FloatVector.fromArray(FLOATS, y, yAt + 2 * WIDTH);
        FloatVector sum1a = FloatVector.fromArray(FLOATS, y, yAt + yStride);
        FloatVector sum1b = FloatVector.fromArray(FLOATS, y, yAt + yStride + WIDTH);
        FloatVector sum1c = FloatVector.fromArray(FLOATS, y, yAt + yStride + 2 * WIDTH);
        FloatVector sum2a = FloatVector.fromArray(FLOATS, y, yAt + 2 * yStride);
        FloatVector sum2b = FloatVector.fromArray(FLOATS, y, yAt + 2 * yStride + WIDTH);
        FloatVector sum2c = FloatVector.fromArray(FLOATS, y, yAt + 2 * yStride + 2 * WIDTH);
        FloatVector sum3a = FloatVector.fromArray(FLOATS, y, yAt + 3 * yStride);
        FloatVector sum3b = FloatVector.fromArray(FLOATS, y, yAt + 3 * yStride + WIDTH);
        FloatVector sum3c = FloatVector.fromArray(FLOATS, y, yAt + 3 * yStride + 2 * WIDTH);
        FloatVector sum4a = FloatVector.fromArray(FLOATS, y, yAt + 4 * yStride);
        FloatVector sum4b = FloatVector.fromArray(FLOATS, y, yAt + 4 * yStride + WIDTH);
        FloatVector sum4c = FloatVector.fromArray(FLOATS, y, yAt + 4 * yStride + 2 * WIDTH);
        FloatVector sum5a = FloatVector.fromArray(FLOATS, y, yAt + 5 * yStride);
        FloatVector sum5b = FloatVector.fromArray(FLOATS, y, yAt + 5 * yStride + WIDTH);
        FloatVector sum5c = FloatVector.fromArray(FLOATS, y, yAt + 5 * yStride + 2 * WIDTH);
        int in = xAt;
        for (int step = 0; step < steps; step++) {
            MemorySegment stepA = w.asSlice(at + step * STEP_BYTES, VECTOR_BYTES);
            FloatVector weighta = FloatVector.fromMemorySegment(FLOATS, stepA, 0, LITTLE);
            MemorySegment stepB = w.asSlice(at + step * STEP_BYTES + panelBytes, VECTOR_BYTES);
            FloatVector weightb = FloatVector.fromMemorySegment(FLOATS, stepB, 0, LITTLE);
            MemorySegment stepC = w.asSlice(at + step * STEP_BYTES + 2 * panelBytes, VECTOR_BYTES);
            FloatVector weightc = FloatVector.fromMemorySegment(FLOATS, stepC, 0, LITTLE);
            FloatVector x0 = FloatVector.broadcast(FLOATS, x[in]);
            sum0a = weighta.fma(x0, sum0a);
            sum0b = weightb.fma(x0, sum0b);
            sum0c = weightc.fma(x0, sum0c);
            FloatVector x1 = FloatVector.broadcast(FLOATS, x[in + 1]);
            sum1a = weighta.fma(x1, sum1a);
            sum1b = weightb.fma(x1, sum1b);
            sum1c = weightc.fma(x1, sum1c);
            FloatVector x2 = FloatVector.broadcast(FLOATS, x[in + 2]);
            sum2a = weighta.fma(x2, sum2a);
            sum2b = weightb.fma(x2, sum2b);
            sum2c = weightc.fma(x2, sum2c);
            FloatVector x3 = FloatVector.broadcast(FLOATS, x[in + 3]);
            sum3a = weighta.fma(x3, sum3a);
            sum3b = weightb.fma(x3, sum3b);
            sum3c = weightc.fma(x3, sum3c);
            FloatVector x4 = FloatVector.broadcast(FLOATS, x[in + 4]);
            sum4a = weighta.fma(x4, sum4a);
            sum4b = weightb.fma(x4, sum4b);
            sum4c = weightc.fma(x4, sum4c);
            FloatVector x5 = FloatVector.broadcast(FLOATS, x[in + 5]);
            sum5a = weighta.fma(x5, sum5a);
            sum5b = weightb.fma(x5, sum5b);
            sum5c = weightc.fma(x5, sum5c);
            in += 6;
        }
        sum0a.intoArray(y, yAt);
        sum0b.intoArray(y, yAt + WIDTH);
        sum0c.intoArray(y, yAt + 2 * WIDTH);
        sum1a.intoArray(y, yAt + yStride);
        sum1b.intoArray(y, yAt + yStride + WIDTH);
        sum1c.intoArray(y, yAt + yStride + 2 * WIDTH);
        sum2a.intoArray(y, yAt + 2 * yStride);
        sum2b.intoArray(y, yAt + 2 * yStride + WIDTH);
        sum2c.intoArray(y, yAt + 2 * yStride + 2 * WIDTH);
        sum3a.intoArray(y, yAt + 3 * yStride);
        sum3b.intoArray(y, yAt + 3 * yStride + WIDTH);
        sum3c.intoArray(y, yAt + 3 * yStride + 2 * WIDTH);
        sum4a.intoArray(y, yAt + 4 * yStride);
        sum4b.intoArray(y, yAt + 4 * yStride + WIDTH);
        sum4c.intoArray(y, yAt + 4 * yStride + 2 * WIDTH);
        sum5a.intoArray(y, yAt + 5 * yStride);
        sum5b.intoArray(y, yAt + 5 * yStride + WIDTH);
        sum5c.intoArray(y, yAt + 5 * yStride + 2 * WIDTH);
    }

    /** 3 panels, 8 rows. */
    static void tile3x8(
            MemorySegment w, long at, long panelBytes, int steps, float[] x, int xAt, float[] y, int yAt, int yStride) {
        FloatVector sum0a = FloatVector.fromArray(FLOATS, y, yAt);
        FloatVector sum0b = FloatVector.fromArray(FLOATS, y, yAt + WIDTH);
        FloatVector sum0c = FloatVector.fromArray(FLOATS, y, yAt + 2 * WIDTH);
        FloatVector sum1a = FloatVector.fromArray(FLOATS, y, yAt + yStride);
        FloatVector sum1b = FloatVector.fromArray(FLOATS, y, yAt + yStride + WIDTH);
        FloatVector sum1c = FloatVector.fromArray(FLOATS, y, yAt + yStride + 2 * WIDTH);
        FloatVector sum2a = FloatVector.fromArray(FLOATS, y, yAt + 2 * yStride);
        FloatVector sum2b = FloatVector.fromArray(FLOATS, y, yAt + 2 * yStride + WIDTH);
        FloatVector sum2c = FloatVector.fromArray(FLOATS, y, yAt + 2 * yStride + 2 * WIDTH);
        FloatVector sum3a = FloatVector.fromArray(FLOATS, y, yAt + 3 * yStride);
        FloatVector sum3b = FloatVector.fromArray(FLOATS, y, yAt + 3 * yStride + WIDTH);
        FloatVector sum3c = FloatVector.fromArray(FLOATS, y, yAt + 3 * yStride + 2 * WIDTH);
        FloatVector sum4a = FloatVector.fromArray(FLOATS, y, yAt + 4 * yStride);
        FloatVector sum4b = FloatVector.fromArray(FLOATS, y, yAt + 4 * yStride + WIDTH);
        FloatVector sum4c = FloatVector.fromArray(FLOATS, y, yAt + 4 * yStride + 2 * WIDTH);
        FloatVector sum5a = FloatVector.fromArray(FLOATS, y, yAt + 5 * yStride);
        FloatVector sum5b = FloatVector.fromArray(FLOATS, y, yAt + 5 * yStride + WIDTH);
        FloatVector sum5c = FloatVector.fromArray(FLOATS, y, yAt + 5 * yStride + 2 * WIDTH);
        FloatVector sum6a = FloatVector.fromArray(FLOATS, y, yAt + 6 * yStride);
        FloatVector sum6b = FloatVector.fromArray(FLOATS, y, yAt + 6 * yStride + WIDTH);
        FloatVector sum6c = FloatVector.fromArray(FLOATS, y, yAt + 6 * yStride + 2 * WIDTH);
        FloatVector sum7a = FloatVector.fromArray(FLOATS, y, yAt + 7 * yStride);
        FloatVector sum7b = FloatVector.fromArray(FLOATS, y, yAt + 7 * yStride + WIDTH);
        FloatVector sum7c = FloatVector.fromArray(FLOATS, y, yAt + 7 * yStride + 2 * WIDTH);
        int in = xAt;
        for (int step = 0; step < steps; step++) {
            MemorySegment stepA = w.asSlice(at + step * STEP_BYTES, VECTOR_BYTES);
            FloatVector weighta = FloatVector.fromMemorySegment(FLOATS, stepA, 0, LITTLE);
            MemorySegment stepB = w.asSlice(at + step * STEP_BYTES + panelBytes, VECTOR_BYTES);
            FloatVector weightb = FloatVector.fromMemorySegment(FLOATS, stepB, 0, LITTLE);
            MemorySegment stepC = w.asSlice(at + step * STEP_BYTES + 2 * panelBytes, VECTOR_BYTES);
            FloatVector weightc = FloatVector.fromMemorySegment(FLOATS, stepC, 0, LITTLE);
            FloatVector x0 = FloatVector.broadcast(FLOATS, x[in]);
            sum0a = weighta.fma(x0, sum0a);
            sum0b = weightb.fma(x0, sum0b);
            sum0c = weightc.fma(x0, sum0c);
            FloatVector x1 = FloatVector.broadcast(FLOATS, x[in + 1]);
            sum1a = weighta.fma(x1, sum1a);
            sum1b = weightb.fma(x1, sum1b);
            sum1c = weightc.fma(x1, sum1c);
            FloatVector x2 = FloatVector.broadcast(FLOATS, x[in + 2]);
            sum2a = weighta.fma(x2, sum2a);
            sum2b = weightb.fma(x2, sum2b);
            sum2c = weightc.fma(x2, sum2c);
            FloatVector x3 = FloatVector.broadcast(FLOATS, x[in + 3]);
            sum3a = weighta.fma(x3, sum3a);
            sum3b = weightb.fma(x3, sum3b);
            sum3c = weightc.fma(x3, sum3c);
            FloatVector x4 = FloatVector.broadcast(FLOATS, x[in + 4]);
            sum4a = weighta.fma(x4, sum4a);
            sum4b = weightb.fma(x4, sum4b);
            sum4c = weightc.fma(x4, sum4c);
            FloatVector x5 = FloatVector.broadcast(FLOATS, x[in + 5]);
            sum5a = weighta.fma(x5, sum5a);
            sum5b = weightb.fma(x5, sum5b);
            sum5c = weightc.fma(x5, sum5c);
            FloatVector x6 = FloatVector.broadcast(FLOATS, x[in + 6]);
            sum6a = weighta.fma(x6, sum6a);
            sum6b = weightb.fma(x6, sum6b);
            sum6c = weightc.fma(x6, sum6c);
            FloatVector x7 = FloatVector.broadcast(FLOATS, x[in + 7]);
            sum7a = weighta.fma(x7, sum7a);
            sum7b = weightb.fma(x7, sum7b);
            sum7c = weightc.fma(x7, sum7c);
            in += 8;
        }
        sum0a.intoArray(y, yAt);
        sum0b.intoArray(y, yAt + WIDTH);
        sum0c.intoArray(y, yAt + 2 * WIDTH);
        sum1a.intoArray(y, yAt + yStride);
        sum1b.intoArray(y, yAt + yStride + WIDTH);
        sum1c.intoArray(y, yAt + yStride + 2 * WIDTH);
        sum2a.intoArray(y, yAt + 2 * yStride);
        sum2b.intoArray(y, yAt + 2 * yStride + WIDTH);
        sum2c.intoArray(y, yAt + 2 * yStride + 2 * WIDTH);
        sum3a.intoArray(y, yAt + 3 * yStride);
        sum3b.intoArray(y, yAt + 3 * yStride + WIDTH);
        sum3c.intoArray(y, yAt + 3 * yStride + 2 * WIDTH);
        sum4a.intoArray(y, yAt + 4 * yStride);
        sum4b.intoArray(y, yAt + 4 * yStride + WIDTH);
        sum4c.intoArray(y, yAt + 4 * yStride + 2 * WIDTH);
        sum5a.intoArray(y, yAt + 5 * yStride);
        sum5b.intoArray(y, yAt + 5 * yStride + WIDTH);
        sum5c.intoArray(y, yAt + 5 * yStride + 2 * WIDTH);
        sum6a.intoArray(y, yAt + 6 * yStride);
        sum6b.intoArray(y, yAt + 6 * yStride + WIDTH);
        sum6c.intoArray(y, yAt + 6 * yStride + 2 * WIDTH);
        sum7a.intoArray(y, yAt + 7 * yStride);
        sum7b.intoArray(y, yAt + 7 * yStride + WIDTH);
        sum7c.intoArray(y, yAt + 7 * yStride + 2 * WIDTH);
    }
}
