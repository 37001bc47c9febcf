package io.prism.kernels.vector;

import static io.prism.kernels.vector.PanelLayout.STEP_BYTES;
import static io.prism.kernels.vector.PanelLayout.WIDTH;

import io.prism.kernels.Precision;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Adds the products of Q4 panels to tiles of y, block by block.
 *
 * <p>A field n of 4 bits becomes a weight without a conversion: moved to the top of the mantissa of 1.0 it reads as 1 + n / 16,
 * exactly. The weight is 1.5 less, exactly again, times its scale (which holds a factor of 16). {@link I8Tiles} save that
 * subtraction, but for weights as coarse as these what it rounds in exchange would show: models with F32 activations came out less
 * exact than in Jlama. Rotating the word brings the next field to the same place.
 *
 * <p>A block's sum starts from zero, which is read from {@code starts}: the JIT compiler boxes sums that start from a constant.
 *
 * <p>Parameters of every tile: weights {@code w}, in which the first panel's steps begin at byte {@code at} and panels are
 * {@code panelBytes} apart; activations from {@code x[xAt]}, the tile's rows interleaved; sums in {@code y} from
 * {@code yAt}, rows {@code yStride} apart. A tile covers one vector of each panel.
 *
 * <p>Each panel is a stream of its own: several at once keep more cache lines on their way. Bodies hold one step
 * because the JIT compiler spills accumulators in longer ones, and a slice for each step because it checks bounds once.
 * A rotated word goes through an AND with ones, which the compiler leaves out again: see {@link MixedProfiles}.
 */
final class Q4Tiles {
    /** The most rows of a tile: larger ones, and more panels, are more than the JIT compiler inlines as a whole. */
    static final int MOST_ROWS = 4;

    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final long VECTOR_BYTES = FLOATS.vectorByteSize();
    private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
    private static final int BITS = 4;
    private static final int FIELDS = Integer.SIZE / BITS;
    private static final int WORDS = Precision.BLOCK / FIELDS;
    private static final int FIELD = (1 << BITS) - 1 << 23 - BITS;
    private static final int ONE = 0x3F800000;
    private static final float SHIFT = 1.5f;

    private Q4Tiles() {}

    /** 2 panels, 1 row. */
    static void tile2x1(
            MemorySegment w,
            long at,
            long panelBytes,
            int blocks,
            float[] x,
            int xAt,
            float[] starts,
            int startsAt,
            float[] y,
            int yAt,
            int yStride) {
        IntVector field = IntVector.broadcast(INTS, FIELD);
        IntVector allOnes = IntVector.broadcast(INTS, -1);
        IntVector one = IntVector.broadcast(INTS, ONE);
        FloatVector shift = FloatVector.broadcast(FLOATS, SHIFT);
        int in = xAt;
        long blockAt = at;
        for (int block = 0; block < blocks; block++) {
            FloatVector start0 = FloatVector.broadcast(FLOATS, starts[startsAt + block]);
            FloatVector sum0a = start0;
            FloatVector sum0b = start0;
            for (int word = 1; word <= WORDS; word++) {
                long wordAt = blockAt + word * STEP_BYTES;
                IntVector bitsa = IntVector.fromMemorySegment(INTS, w.asSlice(wordAt, VECTOR_BYTES), 0, LITTLE);
                IntVector bitsb =
                        IntVector.fromMemorySegment(INTS, w.asSlice(wordAt + panelBytes, VECTOR_BYTES), 0, LITTLE);
                for (int i = 0; i < FIELDS; i++) {
                    FloatVector valuea =
                            field.and(bitsa).or(one).reinterpretAsFloats().sub(shift);
                    bitsa = allOnes.and(bitsa).lanewise(VectorOperators.ROR, BITS);
                    FloatVector valueb =
                            field.and(bitsb).or(one).reinterpretAsFloats().sub(shift);
                    bitsb = allOnes.and(bitsb).lanewise(VectorOperators.ROR, BITS);
                    FloatVector x0 = FloatVector.broadcast(FLOATS, x[in]);
                    sum0a = valuea.fma(x0, sum0a);
                    sum0b = valueb.fma(x0, sum0b);
                    in++;
                }
            }
            FloatVector scalea = FloatVector.fromMemorySegment(FLOATS, w.asSlice(blockAt, VECTOR_BYTES), 0, LITTLE);
            FloatVector scaleb =
                    FloatVector.fromMemorySegment(FLOATS, w.asSlice(blockAt + panelBytes, VECTOR_BYTES), 0, LITTLE);
            sum0a.fma(scalea, FloatVector.fromArray(FLOATS, y, yAt)).intoArray(y, yAt);
            sum0b.fma(scaleb, FloatVector.fromArray(FLOATS, y, yAt + WIDTH)).intoArray(y, yAt + WIDTH);
            blockAt += (WORDS + 1) * STEP_BYTES;
        }
    }

    /** 2 panels, 2 rows. */
    static void tile2x2(
            MemorySegment w,
            long at,
            long panelBytes,
            int blocks,
            float[] x,
            int xAt,
            float[] starts,
            int startsAt,
            float[] y,
            int yAt,
            int yStride) {
        IntVector field = IntVector.broadcast(INTS, FIELD);
        IntVector allOnes = IntVector.broadcast(INTS, -1);
        IntVector one = IntVector.broadcast(INTS, ONE);
        FloatVector shift = FloatVector.broadcast(FLOATS, SHIFT);
        int in = xAt;
        long blockAt = at;
        for (int block = 0; block < blocks; block++) {
            FloatVector start0 = FloatVector.broadcast(FLOATS, starts[startsAt + 2 * block]);
            FloatVector sum0a = start0;
            FloatVector sum0b = start0;
            FloatVector start1 = FloatVector.broadcast(FLOATS, starts[startsAt + 2 * block + 1]);
            FloatVector sum1a = start1;
            FloatVector sum1b = start1;
            for (int word = 1; word <= WORDS; word++) {
                long wordAt = blockAt + word * STEP_BYTES;
                IntVector bitsa = IntVector.fromMemorySegment(INTS, w.asSlice(wordAt, VECTOR_BYTES), 0, LITTLE);
                IntVector bitsb =
                        IntVector.fromMemorySegment(INTS, w.asSlice(wordAt + panelBytes, VECTOR_BYTES), 0, LITTLE);
                for (int i = 0; i < FIELDS; i++) {
                    FloatVector valuea =
                            field.and(bitsa).or(one).reinterpretAsFloats().sub(shift);
                    bitsa = allOnes.and(bitsa).lanewise(VectorOperators.ROR, BITS);
                    FloatVector valueb =
                            field.and(bitsb).or(one).reinterpretAsFloats().sub(shift);
                    bitsb = allOnes.and(bitsb).lanewise(VectorOperators.ROR, BITS);
                    FloatVector x0 = FloatVector.broadcast(FLOATS, x[in]);
                    sum0a = valuea.fma(x0, sum0a);
                    sum0b = valueb.fma(x0, sum0b);
                    FloatVector x1 = FloatVector.broadcast(FLOATS, x[in + 1]);
                    sum1a = valuea.fma(x1, sum1a);
                    sum1b = valueb.fma(x1, sum1b);
                    in += 2;
                }
            }
            FloatVector scalea = FloatVector.fromMemorySegment(FLOATS, w.asSlice(blockAt, VECTOR_BYTES), 0, LITTLE);
            FloatVector scaleb =
                    FloatVector.fromMemorySegment(FLOATS, w.asSlice(blockAt + panelBytes, VECTOR_BYTES), 0, LITTLE);
            sum0a.fma(scalea, FloatVector.fromArray(FLOATS, y, yAt)).intoArray(y, yAt);
            sum0b.fma(scaleb, FloatVector.fromArray(FLOATS, y, yAt + WIDTH)).intoArray(y, yAt + WIDTH);
            sum1a.fma(scalea, FloatVector.fromArray(FLOATS, y, yAt + yStride)).intoArray(y, yAt + yStride);
            sum1b.fma(scaleb, FloatVector.fromArray(FLOATS, y, yAt + yStride + WIDTH))
                    .intoArray(y, yAt + yStride + WIDTH);
            blockAt += (WORDS + 1) * STEP_BYTES;
        }
    }

    /** 2 panels, 4 rows. */
    static void tile2x4(
            MemorySegment w,
            long at,
            long panelBytes,
            int blocks,
            float[] x,
            int xAt,
            float[] starts,
            int startsAt,
            float[] y,
            int yAt,
            int yStride) {
        FloatVector total0a = FloatVector.fromArray(FLOATS, y, yAt);
        FloatVector total0b = FloatVector.fromArray(FLOATS, y, yAt + WIDTH);
        FloatVector total1a = FloatVector.fromArray(FLOATS, y, yAt + yStride);
        FloatVector total1b = FloatVector.fromArray(FLOATS, y, yAt + yStride + WIDTH);
        FloatVector total2a = FloatVector.fromArray(FLOATS, y, yAt + 2 * yStride);
        FloatVector total2b = FloatVector.fromArray(FLOATS, y, yAt + 2 * yStride + WIDTH);
        FloatVector total3a = FloatVector.fromArray(FLOATS, y, yAt + 3 * yStride);
        FloatVector total3b = FloatVector.fromArray(FLOATS, y, yAt + 3 * yStride + WIDTH);
        IntVector field = IntVector.broadcast(INTS, FIELD);
        IntVector allOnes = IntVector.broadcast(INTS, -1);
        IntVector one = IntVector.broadcast(INTS, ONE);
        FloatVector shift = FloatVector.broadcast(FLOATS, SHIFT);
        int in = xAt;
        long blockAt = at;
        for (int block = 0; block < blocks; block++) {
            FloatVector start0 = FloatVector.broadcast(FLOATS, starts[startsAt + 4 * block]);
            FloatVector sum0a = start0;
            FloatVector sum0b = start0;
            FloatVector start1 = FloatVector.broadcast(FLOATS, starts[startsAt + 4 * block + 1]);
            FloatVector sum1a = start1;
            FloatVector sum1b = start1;
            FloatVector start2 = FloatVector.broadcast(FLOATS, starts[startsAt + 4 * block + 2]);
            FloatVector sum2a = start2;
            FloatVector sum2b = start2;
            FloatVector start3 = FloatVector.broadcast(FLOATS, starts[startsAt + 4 * block + 3]);
            FloatVector sum3a = start3;
            FloatVector sum3b = start3;
            for (int word = 1; word <= WORDS; word++) {
                long wordAt = blockAt + word * STEP_BYTES;
                IntVector bitsa = IntVector.fromMemorySegment(INTS, w.asSlice(wordAt, VECTOR_BYTES), 0, LITTLE);
                IntVector bitsb =
                        IntVector.fromMemorySegment(INTS, w.asSlice(wordAt + panelBytes, VECTOR_BYTES), 0, LITTLE);
                for (int i = 0; i < FIELDS; i++) {
                    FloatVector valuea =
                            field.and(bitsa).or(one).reinterpretAsFloats().sub(shift);
                    bitsa = allOnes.and(bitsa).lanewise(VectorOperators.ROR, BITS);
                    FloatVector valueb =
                            field.and(bitsb).or(one).reinterpretAsFloats().sub(shift);
                    bitsb = allOnes.and(bitsb).lanewise(VectorOperators.ROR, BITS);
                    FloatVector x0 = FloatVector.broadcast(FLOATS, x[in]);
                    sum0a = valuea.fma(x0, sum0a);
                    sum0b = valueb.fma(x0, sum0b);
                    FloatVector x1 = FloatVector.broadcast(FLOATS, x[in + 1]);
                    sum1a = valuea.fma(x1, sum1a);
                    sum1b = valueb.fma(x1, sum1b);
                    FloatVector x2 = FloatVector.broadcast(FLOATS, x[in + 2]);
                    sum2a = valuea.fma(x2, sum2a);
                    sum2b = valueb.fma(x2, sum2b);
                    FloatVector x3 = FloatVector.broadcast(FLOATS, x[in + 3]);
                    sum3a = valuea.fma(x3, sum3a);
                    sum3b = valueb.fma(x3, sum3b);
                    in += 4;
                }
            }
            FloatVector scalea = FloatVector.fromMemorySegment(FLOATS, w.asSlice(blockAt, VECTOR_BYTES), 0, LITTLE);
            FloatVector scaleb =
                    FloatVector.fromMemorySegment(FLOATS, w.asSlice(blockAt + panelBytes, VECTOR_BYTES), 0, LITTLE);
            total0a = sum0a.fma(scalea, total0a);
            total0b = sum0b.fma(scaleb, total0b);
            total1a = sum1a.fma(scalea, total1a);
            total1b = sum1b.fma(scaleb, total1b);
            total2a = sum2a.fma(scalea, total2a);
            total2b = sum2b.fma(scaleb, total2b);
            total3a = sum3a.fma(scalea, total3a);
            total3b = sum3b.fma(scaleb, total3b);
            blockAt += (WORDS + 1) * STEP_BYTES;
        }
        total0a.intoArray(y, yAt);
        total0b.intoArray(y, yAt + WIDTH);
        total1a.intoArray(y, yAt + yStride);
        total1b.intoArray(y, yAt + yStride + WIDTH);
        total2a.intoArray(y, yAt + 2 * yStride);
        total2b.intoArray(y, yAt + 2 * yStride + WIDTH);
        total3a.intoArray(y, yAt + 3 * yStride);
        total3b.intoArray(y, yAt + 3 * yStride + WIDTH);
    }
}
