package io.prism.kernels.vector;

import static io.prism.kernels.vector.PanelLayout.STEP_BYTES;
import static io.prism.kernels.vector.PanelLayout.WIDTH;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Adds the products of BF16 panels to tiles of y; a step is two inputs.
 *
 * <p>Parameters of every tile: weights {@code w}, in which the first panel's steps begin at byte {@code at} and panels are
 * {@code panelBytes} apart; activations from {@code x[xAt]}, the tile's rows interleaved; sums in {@code y} from
 * {@code yAt}, rows {@code yStride} apart. A tile covers one vector of each panel.
 *
 * <p>Each panel is a stream of its own: several at once keep more cache lines on their way. Bodies hold one step
 * because the JIT compiler spills accumulators in longer ones, and a slice for each step because it checks bounds once.
 */
final class Bf16Tiles {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final long VECTOR_BYTES = FLOATS.vectorByteSize();
    private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
    private static final int UPPER_HALF = 0xFFFF0000;

    private Bf16Tiles() {}

    /** 4 panels, 1 row. */
    static void tile4x1(
            MemorySegment w, long at, long panelBytes, int steps, float[] x, int xAt, float[] y, int yAt, int yStride) {
        FloatVector sum0a = FloatVector.fromArray(FLOATS, y, yAt);
        FloatVector sum0b = FloatVector.fromArray(FLOATS, y, yAt + WIDTH);
        FloatVector sum0c = FloatVector.fromArray(FLOATS, y, yAt + 2 * WIDTH);
        FloatVector sum0d = FloatVector.fromArray(FLOATS, y, yAt + 3 * WIDTH);
        int in = xAt;
        for (int step = 0; step < steps; step++) {
            MemorySegment stepA = w.asSlice(at + step * STEP_BYTES, VECTOR_BYTES);
            IntVector paira = IntVector.fromMemorySegment(INTS, stepA, 0, LITTLE);
            FloatVector evena = paira.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            MemorySegment stepB = w.asSlice(at + step * STEP_BYTES + panelBytes, VECTOR_BYTES);
            IntVector pairb = IntVector.fromMemorySegment(INTS, stepB, 0, LITTLE);
            FloatVector evenb = pairb.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            MemorySegment stepC = w.asSlice(at + step * STEP_BYTES + 2 * panelBytes, VECTOR_BYTES);
            IntVector pairc = IntVector.fromMemorySegment(INTS, stepC, 0, LITTLE);
            FloatVector evenc = pairc.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            MemorySegment stepD = w.asSlice(at + step * STEP_BYTES + 3 * panelBytes, VECTOR_BYTES);
            IntVector paird = IntVector.fromMemorySegment(INTS, stepD, 0, LITTLE);
            FloatVector evend = paird.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector evenX0 = FloatVector.broadcast(FLOATS, x[in]);
            sum0a = evena.fma(evenX0, sum0a);
            sum0b = evenb.fma(evenX0, sum0b);
            sum0c = evenc.fma(evenX0, sum0c);
            sum0d = evend.fma(evenX0, sum0d);
            FloatVector odda = paira.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector oddb = pairb.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector oddc = pairc.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector oddd = paird.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector oddX0 = FloatVector.broadcast(FLOATS, x[in + 1]);
            sum0a = odda.fma(oddX0, sum0a);
            sum0b = oddb.fma(oddX0, sum0b);
            sum0c = oddc.fma(oddX0, sum0c);
            sum0d = oddd.fma(oddX0, sum0d);
            in += 2;
        }
        sum0a.intoArray(y, yAt);
        sum0b.intoArray(y, yAt + WIDTH);
        sum0c.intoArray(y, yAt + 2 * WIDTH);
        sum0d.intoArray(y, yAt + 3 * WIDTH);
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
            IntVector paira = IntVector.fromMemorySegment(INTS, stepA, 0, LITTLE);
            FloatVector evena = paira.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            MemorySegment stepB = w.asSlice(at + step * STEP_BYTES + panelBytes, VECTOR_BYTES);
            IntVector pairb = IntVector.fromMemorySegment(INTS, stepB, 0, LITTLE);
            FloatVector evenb = pairb.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            MemorySegment stepC = w.asSlice(at + step * STEP_BYTES + 2 * panelBytes, VECTOR_BYTES);
            IntVector pairc = IntVector.fromMemorySegment(INTS, stepC, 0, LITTLE);
            FloatVector evenc = pairc.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector evenX0 = FloatVector.broadcast(FLOATS, x[in]);
            sum0a = evena.fma(evenX0, sum0a);
            sum0b = evenb.fma(evenX0, sum0b);
            sum0c = evenc.fma(evenX0, sum0c);
            FloatVector evenX1 = FloatVector.broadcast(FLOATS, x[in + 1]);
            sum1a = evena.fma(evenX1, sum1a);
            sum1b = evenb.fma(evenX1, sum1b);
            sum1c = evenc.fma(evenX1, sum1c);
            FloatVector odda = paira.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector oddb = pairb.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector oddc = pairc.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector oddX0 = FloatVector.broadcast(FLOATS, x[in + 2]);
            sum0a = odda.fma(oddX0, sum0a);
            sum0b = oddb.fma(oddX0, sum0b);
            sum0c = oddc.fma(oddX0, sum0c);
            FloatVector oddX1 = FloatVector.broadcast(FLOATS, x[in + 3]);
            sum1a = odda.fma(oddX1, sum1a);
            sum1b = oddb.fma(oddX1, sum1b);
            sum1c = oddc.fma(oddX1, sum1c);
            in += 4;
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
            IntVector paira = IntVector.fromMemorySegment(INTS, stepA, 0, LITTLE);
            FloatVector evena = paira.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            MemorySegment stepB = w.asSlice(at + step * STEP_BYTES + panelBytes, VECTOR_BYTES);
            IntVector pairb = IntVector.fromMemorySegment(INTS, stepB, 0, LITTLE);
            FloatVector evenb = pairb.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            MemorySegment stepC = w.asSlice(at + step * STEP_BYTES + 2 * panelBytes, VECTOR_BYTES);
            IntVector pairc = IntVector.fromMemorySegment(INTS, stepC, 0, LITTLE);
            FloatVector evenc = pairc.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector evenX0 = FloatVector.broadcast(FLOATS, x[in]);
            sum0a = evena.fma(evenX0, sum0a);
            sum0b = evenb.fma(evenX0, sum0b);
            sum0c = evenc.fma(evenX0, sum0c);
            FloatVector evenX1 = FloatVector.broadcast(FLOATS, x[in + 1]);
            sum1a = evena.fma(evenX1, sum1a);
            sum1b = evenb.fma(evenX1, sum1b);
            sum1c = evenc.fma(evenX1, sum1c);
            FloatVector evenX2 = FloatVector.broadcast(FLOATS, x[in + 2]);
            sum2a = evena.fma(evenX2, sum2a);
            sum2b = evenb.fma(evenX2, sum2b);
            sum2c = evenc.fma(evenX2, sum2c);
            FloatVector evenX3 = FloatVector.broadcast(FLOATS, x[in + 3]);
            sum3a = evena.fma(evenX3, sum3a);
            sum3b = evenb.fma(evenX3, sum3b);
            sum3c = evenc.fma(evenX3, sum3c);
            FloatVector odda = paira.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector oddb = pairb.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector oddc = pairc.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector oddX0 = FloatVector.broadcast(FLOATS, x[in + 4]);
            sum0a = odda.fma(oddX0, sum0a);
            sum0b = oddb.fma(oddX0, sum0b);
            sum0c = oddc.fma(oddX0, sum0c);
            FloatVector oddX1 = FloatVector.broadcast(FLOATS, x[in + 5]);
            sum1a = odda.fma(oddX1, sum1a);
            sum1b = oddb.fma(oddX1, sum1b);
            sum1c = oddc.fma(oddX1, sum1c);
            FloatVector oddX2 = FloatVector.broadcast(FLOATS, x[in + 6]);
            sum2a = odda.fma(oddX2, sum2a);
            sum2b = oddb.fma(oddX2, sum2b);
            sum2c = oddc.fma(oddX2, sum2c);
            FloatVector oddX3 = FloatVector.broadcast(FLOATS, x[in + 7]);
            sum3a = odda.fma(oddX3, sum3a);
            sum3b = oddb.fma(oddX3, sum3b);
            sum3c = oddc.fma(oddX3, sum3c);
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
            IntVector paira = IntVector.fromMemorySegment(INTS, stepA, 0, LITTLE);
            FloatVector evena = paira.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            MemorySegment stepB = w.asSlice(at + step * STEP_BYTES + panelBytes, VECTOR_BYTES);
            IntVector pairb = IntVector.fromMemorySegment(INTS, stepB, 0, LITTLE);
            FloatVector evenb = pairb.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            MemorySegment stepC = w.asSlice(at + step * STEP_BYTES + 2 * panelBytes, VECTOR_BYTES);
            IntVector pairc = IntVector.fromMemorySegment(INTS, stepC, 0, LITTLE);
            FloatVector evenc = pairc.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector evenX0 = FloatVector.broadcast(FLOATS, x[in]);
            sum0a = evena.fma(evenX0, sum0a);
            sum0b = evenb.fma(evenX0, sum0b);
            sum0c = evenc.fma(evenX0, sum0c);
            FloatVector evenX1 = FloatVector.broadcast(FLOATS, x[in + 1]);
            sum1a = evena.fma(evenX1, sum1a);
            sum1b = evenb.fma(evenX1, sum1b);
            sum1c = evenc.fma(evenX1, sum1c);
            FloatVector evenX2 = FloatVector.broadcast(FLOATS, x[in + 2]);
            sum2a = evena.fma(evenX2, sum2a);
            sum2b = evenb.fma(evenX2, sum2b);
            sum2c = evenc.fma(evenX2, sum2c);
            FloatVector evenX3 = FloatVector.broadcast(FLOATS, x[in + 3]);
            sum3a = evena.fma(evenX3, sum3a);
            sum3b = evenb.fma(evenX3, sum3b);
            sum3c = evenc.fma(evenX3, sum3c);
            FloatVector evenX4 = FloatVector.broadcast(FLOATS, x[in + 4]);
            sum4a = evena.fma(evenX4, sum4a);
            sum4b = evenb.fma(evenX4, sum4b);
            sum4c = evenc.fma(evenX4, sum4c);
            FloatVector evenX5 = FloatVector.broadcast(FLOATS, x[in + 5]);
            sum5a = evena.fma(evenX5, sum5a);
            sum5b = evenb.fma(evenX5, sum5b);
            sum5c = evenc.fma(evenX5, sum5c);
            FloatVector odda = paira.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector oddb = pairb.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector oddc = pairc.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector oddX0 = FloatVector.broadcast(FLOATS, x[in + 6]);
            sum0a = odda.fma(oddX0, sum0a);
            sum0b = oddb.fma(oddX0, sum0b);
            sum0c = oddc.fma(oddX0, sum0c);
            FloatVector oddX1 = FloatVector.broadcast(FLOATS, x[in + 7]);
            sum1a = odda.fma(oddX1, sum1a);
            sum1b = oddb.fma(oddX1, sum1b);
            sum1c = oddc.fma(oddX1, sum1c);
            FloatVector oddX2 = FloatVector.broadcast(FLOATS, x[in + 8]);
            sum2a = odda.fma(oddX2, sum2a);
            sum2b = oddb.fma(oddX2, sum2b);
            sum2c = oddc.fma(oddX2, sum2c);
            FloatVector oddX3 = FloatVector.broadcast(FLOATS, x[in + 9]);
            sum3a = odda.fma(oddX3, sum3a);
            sum3b = oddb.fma(oddX3, sum3b);
            sum3c = oddc.fma(oddX3, sum3c);
            FloatVector oddX4 = FloatVector.broadcast(FLOATS, x[in + 10]);
            sum4a = odda.fma(oddX4, sum4a);
            sum4b = oddb.fma(oddX4, sum4b);
            sum4c = oddc.fma(oddX4, sum4c);
            FloatVector oddX5 = FloatVector.broadcast(FLOATS, x[in + 11]);
            sum5a = odda.fma(oddX5, sum5a);
            sum5b = oddb.fma(oddX5, sum5b);
            sum5c = oddc.fma(oddX5, sum5c);
            in += 12;
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
            IntVector paira = IntVector.fromMemorySegment(INTS, stepA, 0, LITTLE);
            FloatVector evena = paira.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            MemorySegment stepB = w.asSlice(at + step * STEP_BYTES + panelBytes, VECTOR_BYTES);
            IntVector pairb = IntVector.fromMemorySegment(INTS, stepB, 0, LITTLE);
            FloatVector evenb = pairb.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            MemorySegment stepC = w.asSlice(at + step * STEP_BYTES + 2 * panelBytes, VECTOR_BYTES);
            IntVector pairc = IntVector.fromMemorySegment(INTS, stepC, 0, LITTLE);
            FloatVector evenc = pairc.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector evenX0 = FloatVector.broadcast(FLOATS, x[in]);
            sum0a = evena.fma(evenX0, sum0a);
            sum0b = evenb.fma(evenX0, sum0b);
            sum0c = evenc.fma(evenX0, sum0c);
            FloatVector evenX1 = FloatVector.broadcast(FLOATS, x[in + 1]);
            sum1a = evena.fma(evenX1, sum1a);
            sum1b = evenb.fma(evenX1, sum1b);
            sum1c = evenc.fma(evenX1, sum1c);
            FloatVector evenX2 = FloatVector.broadcast(FLOATS, x[in + 2]);
            sum2a = evena.fma(evenX2, sum2a);
            sum2b = evenb.fma(evenX2, sum2b);
            sum2c = evenc.fma(evenX2, sum2c);
            FloatVector evenX3 = FloatVector.broadcast(FLOATS, x[in + 3]);
            sum3a = evena.fma(evenX3, sum3a);
            sum3b = evenb.fma(evenX3, sum3b);
            sum3c = evenc.fma(evenX3, sum3c);
            FloatVector evenX4 = FloatVector.broadcast(FLOATS, x[in + 4]);
            sum4a = evena.fma(evenX4, sum4a);
            sum4b = evenb.fma(evenX4, sum4b);
            sum4c = evenc.fma(evenX4, sum4c);
            FloatVector evenX5 = FloatVector.broadcast(FLOATS, x[in + 5]);
            sum5a = evena.fma(evenX5, sum5a);
            sum5b = evenb.fma(evenX5, sum5b);
            sum5c = evenc.fma(evenX5, sum5c);
            FloatVector evenX6 = FloatVector.broadcast(FLOATS, x[in + 6]);
            sum6a = evena.fma(evenX6, sum6a);
            sum6b = evenb.fma(evenX6, sum6b);
            sum6c = evenc.fma(evenX6, sum6c);
            FloatVector evenX7 = FloatVector.broadcast(FLOATS, x[in + 7]);
            sum7a = evena.fma(evenX7, sum7a);
            sum7b = evenb.fma(evenX7, sum7b);
            sum7c = evenc.fma(evenX7, sum7c);
            FloatVector odda = paira.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector oddb = pairb.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector oddc = pairc.and(UPPER_HALF).reinterpretAsFloats();
            FloatVector oddX0 = FloatVector.broadcast(FLOATS, x[in + 8]);
            sum0a = odda.fma(oddX0, sum0a);
            sum0b = oddb.fma(oddX0, sum0b);
            sum0c = oddc.fma(oddX0, sum0c);
            FloatVector oddX1 = FloatVector.broadcast(FLOATS, x[in + 9]);
            sum1a = odda.fma(oddX1, sum1a);
            sum1b = oddb.fma(oddX1, sum1b);
            sum1c = oddc.fma(oddX1, sum1c);
            FloatVector oddX2 = FloatVector.broadcast(FLOATS, x[in + 10]);
            sum2a = odda.fma(oddX2, sum2a);
            sum2b = oddb.fma(oddX2, sum2b);
            sum2c = oddc.fma(oddX2, sum2c);
            FloatVector oddX3 = FloatVector.broadcast(FLOATS, x[in + 11]);
            sum3a = odda.fma(oddX3, sum3a);
            sum3b = oddb.fma(oddX3, sum3b);
            sum3c = oddc.fma(oddX3, sum3c);
            FloatVector oddX4 = FloatVector.broadcast(FLOATS, x[in + 12]);
            sum4a = odda.fma(oddX4, sum4a);
            sum4b = oddb.fma(oddX4, sum4b);
            sum4c = oddc.fma(oddX4, sum4c);
            FloatVector oddX5 = FloatVector.broadcast(FLOATS, x[in + 13]);
            sum5a = odda.fma(oddX5, sum5a);
            sum5b = oddb.fma(oddX5, sum5b);
            sum5c = oddc.fma(oddX5, sum5c);
            FloatVector oddX6 = FloatVector.broadcast(FLOATS, x[in + 14]);
            sum6a = odda.fma(oddX6, sum6a);
            sum6b = oddb.fma(oddX6, sum6b);
            sum6c = oddc.fma(oddX6, sum6c);
            FloatVector oddX7 = FloatVector.broadcast(FLOATS, x[in + 15]);
            sum7a = odda.fma(oddX7, sum7a);
            sum7b = oddb.fma(oddX7, sum7b);
            sum7c = oddc.fma(oddX7, sum7c);
            in += 16;
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
