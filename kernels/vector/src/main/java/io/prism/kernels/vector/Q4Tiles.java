package io.prism.kernels.vector;

import static io.prism.kernels.vector.PanelLayout.STEP_BYTES;

import io.prism.kernels.Precision;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Adds to m x n tiles of y, vectors of outputs by rows, the products of Q4 panels.
 *
 * <p>The parameters of every tile: weights {@code w} from byte
 * {@code at}, of the third and fourth vector from byte {@code second}, {@code blocks} blocks of 32 inputs; activations {@code x} of the
 * first row from {@code xOffset}, rows {@code xStride} apart; sums {@code y} likewise.
 * {@code starts} holds what a block's sum starts from, for each row and block: see {@link PanelLayout}.
 *
 * <p>A field of 4 bits n is moved to the top of the mantissa of 1.0, which makes it 1 + n / 16 exactly with one shift
 * and one ternary logic operation.
 *
 * The names say vectors x rows. Accumulators are written out one by one because only locals stay in registers.
 */
final class Q4Tiles {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final int LANES = FLOATS.length();
    private static final long VECTOR_BYTES = FLOATS.vectorByteSize();
    private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
    private static final long BLOCK_BYTES = 5 * STEP_BYTES;
    private static final int GROUPS = 4;
    private static final int PAIRS = 4;
    private static final int FIELD_BITS = 4;
    private static final int UPPER_SHIFT = 9;
    private static final int LOWER_SHIFT = 7;
    private static final int FIELD = 0xF << 19;
    private static final int ONE = 0x3F800000;

    private Q4Tiles() {}

    /** 4 vectors of outputs, 1 row. */
    static void tile4x1(
            MemorySegment w, long at, long second, int blocks, float[] x, int xOffset, int xStride,
            float[] starts, int startOffset, int startStride, float[] y, int yOffset, int yStride) {
        for (int block = 0; block < blocks; block++) {
            long from = at + block * BLOCK_BYTES;
            int k = xOffset + block * Precision.BLOCK;
            long fromSecond = second + block * BLOCK_BYTES;
            FloatVector start0 = FloatVector.broadcast(FLOATS, starts[startOffset + block]);
            FloatVector sum00 = start0;
            FloatVector sum01 = start0;
            FloatVector sum02 = start0;
            FloatVector sum03 = start0;
            for (int group = 1; group <= GROUPS; group++) {
                long fromGroup = from + group * STEP_BYTES;
                long fromGroupSecond = fromSecond + group * STEP_BYTES;
                IntVector bits0 = IntVector.fromMemorySegment(INTS, w, fromGroup, LITTLE);
                IntVector bits1 = IntVector.fromMemorySegment(INTS, w, fromGroup + VECTOR_BYTES, LITTLE);
                IntVector bits2 = IntVector.fromMemorySegment(INTS, w, fromGroupSecond, LITTLE);
                IntVector bits3 = IntVector.fromMemorySegment(INTS, w, fromGroupSecond + VECTOR_BYTES, LITTLE);
                IntVector upper0 = bits0.lanewise(VectorOperators.LSHR, UPPER_SHIFT);
                IntVector lower0 = bits0.lanewise(VectorOperators.LSHL, LOWER_SHIFT);
                IntVector upper1 = bits1.lanewise(VectorOperators.LSHR, UPPER_SHIFT);
                IntVector lower1 = bits1.lanewise(VectorOperators.LSHL, LOWER_SHIFT);
                IntVector upper2 = bits2.lanewise(VectorOperators.LSHR, UPPER_SHIFT);
                IntVector lower2 = bits2.lanewise(VectorOperators.LSHL, LOWER_SHIFT);
                IntVector upper3 = bits3.lanewise(VectorOperators.LSHR, UPPER_SHIFT);
                IntVector lower3 = bits3.lanewise(VectorOperators.LSHL, LOWER_SHIFT);
                for (int pair = 0; pair < PAIRS; pair++) {
                    FloatVector even0 = upper0.and(FIELD).or(ONE).reinterpretAsFloats();
                    FloatVector even1 = upper1.and(FIELD).or(ONE).reinterpretAsFloats();
                    FloatVector even2 = upper2.and(FIELD).or(ONE).reinterpretAsFloats();
                    FloatVector even3 = upper3.and(FIELD).or(ONE).reinterpretAsFloats();
                    FloatVector evenX0 = FloatVector.broadcast(FLOATS, x[k]);
                    sum00 = even0.fma(evenX0, sum00);
                    sum01 = even1.fma(evenX0, sum01);
                    sum02 = even2.fma(evenX0, sum02);
                    sum03 = even3.fma(evenX0, sum03);
                    upper0 = upper0.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    upper1 = upper1.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    upper2 = upper2.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    upper3 = upper3.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    FloatVector odd0 = lower0.and(FIELD).or(ONE).reinterpretAsFloats();
                    FloatVector odd1 = lower1.and(FIELD).or(ONE).reinterpretAsFloats();
                    FloatVector odd2 = lower2.and(FIELD).or(ONE).reinterpretAsFloats();
                    FloatVector odd3 = lower3.and(FIELD).or(ONE).reinterpretAsFloats();
                    FloatVector oddX0 = FloatVector.broadcast(FLOATS, x[k + 1]);
                    sum00 = odd0.fma(oddX0, sum00);
                    sum01 = odd1.fma(oddX0, sum01);
                    sum02 = odd2.fma(oddX0, sum02);
                    sum03 = odd3.fma(oddX0, sum03);
                    lower0 = lower0.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    lower1 = lower1.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    lower2 = lower2.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    lower3 = lower3.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    k += 2;
                }
            }
            FloatVector scale0 = FloatVector.fromMemorySegment(FLOATS, w, from, LITTLE);
            FloatVector scale1 = FloatVector.fromMemorySegment(FLOATS, w, from + VECTOR_BYTES, LITTLE);
            FloatVector scale2 = FloatVector.fromMemorySegment(FLOATS, w, fromSecond, LITTLE);
            FloatVector scale3 = FloatVector.fromMemorySegment(FLOATS, w, fromSecond + VECTOR_BYTES, LITTLE);
            sum00.fma(scale0, FloatVector.fromArray(FLOATS, y, yOffset)).intoArray(y, yOffset);
            sum01.fma(scale1, FloatVector.fromArray(FLOATS, y, yOffset + LANES)).intoArray(y, yOffset + LANES);
            sum02.fma(scale2, FloatVector.fromArray(FLOATS, y, yOffset + 2 * LANES)).intoArray(y, yOffset + 2 * LANES);
            sum03.fma(scale3, FloatVector.fromArray(FLOATS, y, yOffset + 3 * LANES)).intoArray(y, yOffset + 3 * LANES);
        }
    }

    /** 4 vectors of outputs, 2 rows. */
    static void tile4x2(
            MemorySegment w, long at, long second, int blocks, float[] x, int xOffset, int xStride,
            float[] starts, int startOffset, int startStride, float[] y, int yOffset, int yStride) {
        for (int block = 0; block < blocks; block++) {
            long from = at + block * BLOCK_BYTES;
            int k = xOffset + block * Precision.BLOCK;
            long fromSecond = second + block * BLOCK_BYTES;
            FloatVector start0 = FloatVector.broadcast(FLOATS, starts[startOffset + block]);
            FloatVector start1 = FloatVector.broadcast(FLOATS, starts[startOffset + block + startStride]);
            FloatVector sum00 = start0;
            FloatVector sum01 = start0;
            FloatVector sum02 = start0;
            FloatVector sum03 = start0;
            FloatVector sum10 = start1;
            FloatVector sum11 = start1;
            FloatVector sum12 = start1;
            FloatVector sum13 = start1;
            for (int group = 1; group <= GROUPS; group++) {
                long fromGroup = from + group * STEP_BYTES;
                long fromGroupSecond = fromSecond + group * STEP_BYTES;
                IntVector bits0 = IntVector.fromMemorySegment(INTS, w, fromGroup, LITTLE);
                IntVector bits1 = IntVector.fromMemorySegment(INTS, w, fromGroup + VECTOR_BYTES, LITTLE);
                IntVector bits2 = IntVector.fromMemorySegment(INTS, w, fromGroupSecond, LITTLE);
                IntVector bits3 = IntVector.fromMemorySegment(INTS, w, fromGroupSecond + VECTOR_BYTES, LITTLE);
                IntVector upper0 = bits0.lanewise(VectorOperators.LSHR, UPPER_SHIFT);
                IntVector lower0 = bits0.lanewise(VectorOperators.LSHL, LOWER_SHIFT);
                IntVector upper1 = bits1.lanewise(VectorOperators.LSHR, UPPER_SHIFT);
                IntVector lower1 = bits1.lanewise(VectorOperators.LSHL, LOWER_SHIFT);
                IntVector upper2 = bits2.lanewise(VectorOperators.LSHR, UPPER_SHIFT);
                IntVector lower2 = bits2.lanewise(VectorOperators.LSHL, LOWER_SHIFT);
                IntVector upper3 = bits3.lanewise(VectorOperators.LSHR, UPPER_SHIFT);
                IntVector lower3 = bits3.lanewise(VectorOperators.LSHL, LOWER_SHIFT);
                for (int pair = 0; pair < PAIRS; pair++) {
                    FloatVector even0 = upper0.and(FIELD).or(ONE).reinterpretAsFloats();
                    FloatVector even1 = upper1.and(FIELD).or(ONE).reinterpretAsFloats();
                    FloatVector even2 = upper2.and(FIELD).or(ONE).reinterpretAsFloats();
                    FloatVector even3 = upper3.and(FIELD).or(ONE).reinterpretAsFloats();
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
                    upper0 = upper0.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    upper1 = upper1.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    upper2 = upper2.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    upper3 = upper3.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    FloatVector odd0 = lower0.and(FIELD).or(ONE).reinterpretAsFloats();
                    FloatVector odd1 = lower1.and(FIELD).or(ONE).reinterpretAsFloats();
                    FloatVector odd2 = lower2.and(FIELD).or(ONE).reinterpretAsFloats();
                    FloatVector odd3 = lower3.and(FIELD).or(ONE).reinterpretAsFloats();
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
                    lower0 = lower0.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    lower1 = lower1.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    lower2 = lower2.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    lower3 = lower3.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    k += 2;
                }
            }
            FloatVector scale0 = FloatVector.fromMemorySegment(FLOATS, w, from, LITTLE);
            FloatVector scale1 = FloatVector.fromMemorySegment(FLOATS, w, from + VECTOR_BYTES, LITTLE);
            FloatVector scale2 = FloatVector.fromMemorySegment(FLOATS, w, fromSecond, LITTLE);
            FloatVector scale3 = FloatVector.fromMemorySegment(FLOATS, w, fromSecond + VECTOR_BYTES, LITTLE);
            sum00.fma(scale0, FloatVector.fromArray(FLOATS, y, yOffset)).intoArray(y, yOffset);
            sum01.fma(scale1, FloatVector.fromArray(FLOATS, y, yOffset + LANES)).intoArray(y, yOffset + LANES);
            sum02.fma(scale2, FloatVector.fromArray(FLOATS, y, yOffset + 2 * LANES)).intoArray(y, yOffset + 2 * LANES);
            sum03.fma(scale3, FloatVector.fromArray(FLOATS, y, yOffset + 3 * LANES)).intoArray(y, yOffset + 3 * LANES);
            sum10.fma(scale0, FloatVector.fromArray(FLOATS, y, yOffset + yStride)).intoArray(y, yOffset + yStride);
            sum11.fma(scale1, FloatVector.fromArray(FLOATS, y, yOffset + yStride + LANES)).intoArray(y, yOffset + yStride + LANES);
            sum12.fma(scale2, FloatVector.fromArray(FLOATS, y, yOffset + yStride + 2 * LANES)).intoArray(y, yOffset + yStride + 2 * LANES);
            sum13.fma(scale3, FloatVector.fromArray(FLOATS, y, yOffset + yStride + 3 * LANES)).intoArray(y, yOffset + yStride + 3 * LANES);
        }
    }

    /** 2 vectors of outputs, 4 rows. */
    static void tile2x4(
            MemorySegment w, long at, int blocks, float[] x, int xOffset, int xStride,
            float[] starts, int startOffset, int startStride, float[] y, int yOffset, int yStride) {
        for (int block = 0; block < blocks; block++) {
            long from = at + block * BLOCK_BYTES;
            int k = xOffset + block * Precision.BLOCK;
            FloatVector start0 = FloatVector.broadcast(FLOATS, starts[startOffset + block]);
            FloatVector start1 = FloatVector.broadcast(FLOATS, starts[startOffset + block + startStride]);
            FloatVector start2 = FloatVector.broadcast(FLOATS, starts[startOffset + block + 2 * startStride]);
            FloatVector start3 = FloatVector.broadcast(FLOATS, starts[startOffset + block + 3 * startStride]);
            FloatVector sum00 = start0;
            FloatVector sum01 = start0;
            FloatVector sum10 = start1;
            FloatVector sum11 = start1;
            FloatVector sum20 = start2;
            FloatVector sum21 = start2;
            FloatVector sum30 = start3;
            FloatVector sum31 = start3;
            for (int group = 1; group <= GROUPS; group++) {
                long fromGroup = from + group * STEP_BYTES;
                IntVector bits0 = IntVector.fromMemorySegment(INTS, w, fromGroup, LITTLE);
                IntVector bits1 = IntVector.fromMemorySegment(INTS, w, fromGroup + VECTOR_BYTES, LITTLE);
                IntVector upper0 = bits0.lanewise(VectorOperators.LSHR, UPPER_SHIFT);
                IntVector lower0 = bits0.lanewise(VectorOperators.LSHL, LOWER_SHIFT);
                IntVector upper1 = bits1.lanewise(VectorOperators.LSHR, UPPER_SHIFT);
                IntVector lower1 = bits1.lanewise(VectorOperators.LSHL, LOWER_SHIFT);
                for (int pair = 0; pair < PAIRS; pair++) {
                    FloatVector even0 = upper0.and(FIELD).or(ONE).reinterpretAsFloats();
                    FloatVector even1 = upper1.and(FIELD).or(ONE).reinterpretAsFloats();
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
                    upper0 = upper0.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    upper1 = upper1.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    FloatVector odd0 = lower0.and(FIELD).or(ONE).reinterpretAsFloats();
                    FloatVector odd1 = lower1.and(FIELD).or(ONE).reinterpretAsFloats();
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
                    lower0 = lower0.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    lower1 = lower1.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    k += 2;
                }
            }
            FloatVector scale0 = FloatVector.fromMemorySegment(FLOATS, w, from, LITTLE);
            FloatVector scale1 = FloatVector.fromMemorySegment(FLOATS, w, from + VECTOR_BYTES, LITTLE);
            sum00.fma(scale0, FloatVector.fromArray(FLOATS, y, yOffset)).intoArray(y, yOffset);
            sum01.fma(scale1, FloatVector.fromArray(FLOATS, y, yOffset + LANES)).intoArray(y, yOffset + LANES);
            sum10.fma(scale0, FloatVector.fromArray(FLOATS, y, yOffset + yStride)).intoArray(y, yOffset + yStride);
            sum11.fma(scale1, FloatVector.fromArray(FLOATS, y, yOffset + yStride + LANES)).intoArray(y, yOffset + yStride + LANES);
            sum20.fma(scale0, FloatVector.fromArray(FLOATS, y, yOffset + 2 * yStride)).intoArray(y, yOffset + 2 * yStride);
            sum21.fma(scale1, FloatVector.fromArray(FLOATS, y, yOffset + 2 * yStride + LANES)).intoArray(y, yOffset + 2 * yStride + LANES);
            sum30.fma(scale0, FloatVector.fromArray(FLOATS, y, yOffset + 3 * yStride)).intoArray(y, yOffset + 3 * yStride);
            sum31.fma(scale1, FloatVector.fromArray(FLOATS, y, yOffset + 3 * yStride + LANES)).intoArray(y, yOffset + 3 * yStride + LANES);
        }
    }

    /** 2 vectors of outputs, 6 rows. */
    static void tile2x6(
            MemorySegment w, long at, int blocks, float[] x, int xOffset, int xStride,
            float[] starts, int startOffset, int startStride, float[] y, int yOffset, int yStride) {
        for (int block = 0; block < blocks; block++) {
            long from = at + block * BLOCK_BYTES;
            int k = xOffset + block * Precision.BLOCK;
            FloatVector start0 = FloatVector.broadcast(FLOATS, starts[startOffset + block]);
            FloatVector start1 = FloatVector.broadcast(FLOATS, starts[startOffset + block + startStride]);
            FloatVector start2 = FloatVector.broadcast(FLOATS, starts[startOffset + block + 2 * startStride]);
            FloatVector start3 = FloatVector.broadcast(FLOATS, starts[startOffset + block + 3 * startStride]);
            FloatVector start4 = FloatVector.broadcast(FLOATS, starts[startOffset + block + 4 * startStride]);
            FloatVector start5 = FloatVector.broadcast(FLOATS, starts[startOffset + block + 5 * startStride]);
            FloatVector sum00 = start0;
            FloatVector sum01 = start0;
            FloatVector sum10 = start1;
            FloatVector sum11 = start1;
            FloatVector sum20 = start2;
            FloatVector sum21 = start2;
            FloatVector sum30 = start3;
            FloatVector sum31 = start3;
            FloatVector sum40 = start4;
            FloatVector sum41 = start4;
            FloatVector sum50 = start5;
            FloatVector sum51 = start5;
            for (int group = 1; group <= GROUPS; group++) {
                long fromGroup = from + group * STEP_BYTES;
                IntVector bits0 = IntVector.fromMemorySegment(INTS, w, fromGroup, LITTLE);
                IntVector bits1 = IntVector.fromMemorySegment(INTS, w, fromGroup + VECTOR_BYTES, LITTLE);
                IntVector upper0 = bits0.lanewise(VectorOperators.LSHR, UPPER_SHIFT);
                IntVector lower0 = bits0.lanewise(VectorOperators.LSHL, LOWER_SHIFT);
                IntVector upper1 = bits1.lanewise(VectorOperators.LSHR, UPPER_SHIFT);
                IntVector lower1 = bits1.lanewise(VectorOperators.LSHL, LOWER_SHIFT);
                for (int pair = 0; pair < PAIRS; pair++) {
                    FloatVector even0 = upper0.and(FIELD).or(ONE).reinterpretAsFloats();
                    FloatVector even1 = upper1.and(FIELD).or(ONE).reinterpretAsFloats();
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
                    upper0 = upper0.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    upper1 = upper1.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    FloatVector odd0 = lower0.and(FIELD).or(ONE).reinterpretAsFloats();
                    FloatVector odd1 = lower1.and(FIELD).or(ONE).reinterpretAsFloats();
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
                    lower0 = lower0.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    lower1 = lower1.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    k += 2;
                }
            }
            FloatVector scale0 = FloatVector.fromMemorySegment(FLOATS, w, from, LITTLE);
            FloatVector scale1 = FloatVector.fromMemorySegment(FLOATS, w, from + VECTOR_BYTES, LITTLE);
            sum00.fma(scale0, FloatVector.fromArray(FLOATS, y, yOffset)).intoArray(y, yOffset);
            sum01.fma(scale1, FloatVector.fromArray(FLOATS, y, yOffset + LANES)).intoArray(y, yOffset + LANES);
            sum10.fma(scale0, FloatVector.fromArray(FLOATS, y, yOffset + yStride)).intoArray(y, yOffset + yStride);
            sum11.fma(scale1, FloatVector.fromArray(FLOATS, y, yOffset + yStride + LANES)).intoArray(y, yOffset + yStride + LANES);
            sum20.fma(scale0, FloatVector.fromArray(FLOATS, y, yOffset + 2 * yStride)).intoArray(y, yOffset + 2 * yStride);
            sum21.fma(scale1, FloatVector.fromArray(FLOATS, y, yOffset + 2 * yStride + LANES)).intoArray(y, yOffset + 2 * yStride + LANES);
            sum30.fma(scale0, FloatVector.fromArray(FLOATS, y, yOffset + 3 * yStride)).intoArray(y, yOffset + 3 * yStride);
            sum31.fma(scale1, FloatVector.fromArray(FLOATS, y, yOffset + 3 * yStride + LANES)).intoArray(y, yOffset + 3 * yStride + LANES);
            sum40.fma(scale0, FloatVector.fromArray(FLOATS, y, yOffset + 4 * yStride)).intoArray(y, yOffset + 4 * yStride);
            sum41.fma(scale1, FloatVector.fromArray(FLOATS, y, yOffset + 4 * yStride + LANES)).intoArray(y, yOffset + 4 * yStride + LANES);
            sum50.fma(scale0, FloatVector.fromArray(FLOATS, y, yOffset + 5 * yStride)).intoArray(y, yOffset + 5 * yStride);
            sum51.fma(scale1, FloatVector.fromArray(FLOATS, y, yOffset + 5 * yStride + LANES)).intoArray(y, yOffset + 5 * yStride + LANES);
        }
    }

    /** 2 vectors of outputs, 8 rows. */
    static void tile2x8(
            MemorySegment w, long at, int blocks, float[] x, int xOffset, int xStride,
            float[] starts, int startOffset, int startStride, float[] y, int yOffset, int yStride) {
        for (int block = 0; block < blocks; block++) {
            long from = at + block * BLOCK_BYTES;
            int k = xOffset + block * Precision.BLOCK;
            FloatVector start0 = FloatVector.broadcast(FLOATS, starts[startOffset + block]);
            FloatVector start1 = FloatVector.broadcast(FLOATS, starts[startOffset + block + startStride]);
            FloatVector start2 = FloatVector.broadcast(FLOATS, starts[startOffset + block + 2 * startStride]);
            FloatVector start3 = FloatVector.broadcast(FLOATS, starts[startOffset + block + 3 * startStride]);
            FloatVector start4 = FloatVector.broadcast(FLOATS, starts[startOffset + block + 4 * startStride]);
            FloatVector start5 = FloatVector.broadcast(FLOATS, starts[startOffset + block + 5 * startStride]);
            FloatVector start6 = FloatVector.broadcast(FLOATS, starts[startOffset + block + 6 * startStride]);
            FloatVector start7 = FloatVector.broadcast(FLOATS, starts[startOffset + block + 7 * startStride]);
            FloatVector sum00 = start0;
            FloatVector sum01 = start0;
            FloatVector sum10 = start1;
            FloatVector sum11 = start1;
            FloatVector sum20 = start2;
            FloatVector sum21 = start2;
            FloatVector sum30 = start3;
            FloatVector sum31 = start3;
            FloatVector sum40 = start4;
            FloatVector sum41 = start4;
            FloatVector sum50 = start5;
            FloatVector sum51 = start5;
            FloatVector sum60 = start6;
            FloatVector sum61 = start6;
            FloatVector sum70 = start7;
            FloatVector sum71 = start7;
            for (int group = 1; group <= GROUPS; group++) {
                long fromGroup = from + group * STEP_BYTES;
                IntVector bits0 = IntVector.fromMemorySegment(INTS, w, fromGroup, LITTLE);
                IntVector bits1 = IntVector.fromMemorySegment(INTS, w, fromGroup + VECTOR_BYTES, LITTLE);
                IntVector upper0 = bits0.lanewise(VectorOperators.LSHR, UPPER_SHIFT);
                IntVector lower0 = bits0.lanewise(VectorOperators.LSHL, LOWER_SHIFT);
                IntVector upper1 = bits1.lanewise(VectorOperators.LSHR, UPPER_SHIFT);
                IntVector lower1 = bits1.lanewise(VectorOperators.LSHL, LOWER_SHIFT);
                for (int pair = 0; pair < PAIRS; pair++) {
                    FloatVector even0 = upper0.and(FIELD).or(ONE).reinterpretAsFloats();
                    FloatVector even1 = upper1.and(FIELD).or(ONE).reinterpretAsFloats();
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
                    upper0 = upper0.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    upper1 = upper1.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    FloatVector odd0 = lower0.and(FIELD).or(ONE).reinterpretAsFloats();
                    FloatVector odd1 = lower1.and(FIELD).or(ONE).reinterpretAsFloats();
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
                    lower0 = lower0.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    lower1 = lower1.lanewise(VectorOperators.LSHL, FIELD_BITS);
                    k += 2;
                }
            }
            FloatVector scale0 = FloatVector.fromMemorySegment(FLOATS, w, from, LITTLE);
            FloatVector scale1 = FloatVector.fromMemorySegment(FLOATS, w, from + VECTOR_BYTES, LITTLE);
            sum00.fma(scale0, FloatVector.fromArray(FLOATS, y, yOffset)).intoArray(y, yOffset);
            sum01.fma(scale1, FloatVector.fromArray(FLOATS, y, yOffset + LANES)).intoArray(y, yOffset + LANES);
            sum10.fma(scale0, FloatVector.fromArray(FLOATS, y, yOffset + yStride)).intoArray(y, yOffset + yStride);
            sum11.fma(scale1, FloatVector.fromArray(FLOATS, y, yOffset + yStride + LANES)).intoArray(y, yOffset + yStride + LANES);
            sum20.fma(scale0, FloatVector.fromArray(FLOATS, y, yOffset + 2 * yStride)).intoArray(y, yOffset + 2 * yStride);
            sum21.fma(scale1, FloatVector.fromArray(FLOATS, y, yOffset + 2 * yStride + LANES)).intoArray(y, yOffset + 2 * yStride + LANES);
            sum30.fma(scale0, FloatVector.fromArray(FLOATS, y, yOffset + 3 * yStride)).intoArray(y, yOffset + 3 * yStride);
            sum31.fma(scale1, FloatVector.fromArray(FLOATS, y, yOffset + 3 * yStride + LANES)).intoArray(y, yOffset + 3 * yStride + LANES);
            sum40.fma(scale0, FloatVector.fromArray(FLOATS, y, yOffset + 4 * yStride)).intoArray(y, yOffset + 4 * yStride);
            sum41.fma(scale1, FloatVector.fromArray(FLOATS, y, yOffset + 4 * yStride + LANES)).intoArray(y, yOffset + 4 * yStride + LANES);
            sum50.fma(scale0, FloatVector.fromArray(FLOATS, y, yOffset + 5 * yStride)).intoArray(y, yOffset + 5 * yStride);
            sum51.fma(scale1, FloatVector.fromArray(FLOATS, y, yOffset + 5 * yStride + LANES)).intoArray(y, yOffset + 5 * yStride + LANES);
            sum60.fma(scale0, FloatVector.fromArray(FLOATS, y, yOffset + 6 * yStride)).intoArray(y, yOffset + 6 * yStride);
            sum61.fma(scale1, FloatVector.fromArray(FLOATS, y, yOffset + 6 * yStride + LANES)).intoArray(y, yOffset + 6 * yStride + LANES);
            sum70.fma(scale0, FloatVector.fromArray(FLOATS, y, yOffset + 7 * yStride)).intoArray(y, yOffset + 7 * yStride);
            sum71.fma(scale1, FloatVector.fromArray(FLOATS, y, yOffset + 7 * yStride + LANES)).intoArray(y, yOffset + 7 * yStride + LANES);
        }
    }
}
