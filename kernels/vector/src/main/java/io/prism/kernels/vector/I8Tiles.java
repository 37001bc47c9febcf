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
 * Adds the products of I8 panels to tiles of y, block by block.
 *
 * <p>A field n of 8 bits becomes a weight without a conversion: moved to the top of the mantissa of 1.0 it reads as 1 + n / 256,
 * exactly. The weight is 1.5 less, times its scale (which holds a factor of 256): a block's sum starts from -1.5 times the sum of
 * its activations, given in {@code starts} with a tile's rows interleaved. Rotating the word brings the next field to the same
 * place.
 *
 * <p>Parameters of every tile: weights {@code w}, in which the first panel's steps begin at byte {@code at} and panels are
 * {@code panelBytes} apart; activations from {@code x[xAt]}, the tile's rows interleaved; sums in {@code y} from
 * {@code yAt}, rows {@code yStride} apart. A tile covers one vector of each panel.
 *
 * <p>Each panel is a stream of its own: several at once keep more cache lines on their way. Bodies hold one step
 * because the JIT compiler spills accumulators in longer ones, and a slice for each step because it checks bounds once.
 * A rotated word goes through an AND with ones, which the compiler leaves out again: see {@link MixedProfiles}.
 */
final class I8Tiles {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final long VECTOR_BYTES = FLOATS.vectorByteSize();
    private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
    private static final int BITS = 8;
    private static final int FIELDS = Integer.SIZE / BITS;
    private static final int WORDS = Precision.BLOCK / FIELDS;
    private static final int FIELD = (1 << BITS) - 1 << 23 - BITS;
    private static final int ONE = 0x3F800000;

    private I8Tiles() {}

    /** 4 panels, 1 row. */
    static void tile4x1(
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
        int in = xAt;
        long blockAt = at;
        for (int block = 0; block < blocks; block++) {
            FloatVector start0 = FloatVector.broadcast(FLOATS, starts[startsAt + block]);
            FloatVector sum0a = start0;
            FloatVector sum0b = start0;
            FloatVector sum0c = start0;
            FloatVector sum0d = start0;
            for (int word = 1; word <= WORDS; word++) {
                long wordAt = blockAt + word * STEP_BYTES;
                IntVector bitsa = IntVector.fromMemorySegment(INTS, w.asSlice(wordAt, VECTOR_BYTES), 0, LITTLE);
                IntVector bitsb =
                        IntVector.fromMemorySegment(INTS, w.asSlice(wordAt + panelBytes, VECTOR_BYTES), 0, LITTLE);
                IntVector bitsc =
                        IntVector.fromMemorySegment(INTS, w.asSlice(wordAt + 2 * panelBytes, VECTOR_BYTES), 0, LITTLE);
                IntVector bitsd =
                        IntVector.fromMemorySegment(INTS, w.asSlice(wordAt + 3 * panelBytes, VECTOR_BYTES), 0, LITTLE);
                for (int i = 0; i < FIELDS; i++) {
                    FloatVector valuea = field.and(bitsa).or(one).reinterpretAsFloats();
                    bitsa = allOnes.and(bitsa).lanewise(VectorOperators.ROR, BITS);
                    FloatVector valueb = field.and(bitsb).or(one).reinterpretAsFloats();
                    bitsb = allOnes.and(bitsb).lanewise(VectorOperators.ROR, BITS);
                    FloatVector valuec = field.and(bitsc).or(one).reinterpretAsFloats();
                    bitsc = allOnes.and(bitsc).lanewise(VectorOperators.ROR, BITS);
                    FloatVector valued = field.and(bitsd).or(one).reinterpretAsFloats();
                    bitsd = allOnes.and(bitsd).lanewise(VectorOperators.ROR, BITS);
                    FloatVector x0 = FloatVector.broadcast(FLOATS, x[in]);
                    sum0a = valuea.fma(x0, sum0a);
                    sum0b = valueb.fma(x0, sum0b);
                    sum0c = valuec.fma(x0, sum0c);
                    sum0d = valued.fma(x0, sum0d);
                    in++;
                }
            }
            FloatVector scalea = FloatVector.fromMemorySegment(FLOATS, w.asSlice(blockAt, VECTOR_BYTES), 0, LITTLE);
            FloatVector scaleb =
                    FloatVector.fromMemorySegment(FLOATS, w.asSlice(blockAt + panelBytes, VECTOR_BYTES), 0, LITTLE);
            FloatVector scalec =
                    FloatVector.fromMemorySegment(FLOATS, w.asSlice(blockAt + 2 * panelBytes, VECTOR_BYTES), 0, LITTLE);
            FloatVector scaled =
                    FloatVector.fromMemorySegment(FLOATS, w.asSlice(blockAt + 3 * panelBytes, VECTOR_BYTES), 0, LITTLE);
            sum0a.fma(scalea, FloatVector.fromArray(FLOATS, y, yAt)).intoArray(y, yAt);
            sum0b.fma(scaleb, FloatVector.fromArray(FLOATS, y, yAt + WIDTH)).intoArray(y, yAt + WIDTH);
            sum0c.fma(scalec, FloatVector.fromArray(FLOATS, y, yAt + 2 * WIDTH)).intoArray(y, yAt + 2 * WIDTH);
            sum0d.fma(scaled, FloatVector.fromArray(FLOATS, y, yAt + 3 * WIDTH)).intoArray(y, yAt + 3 * WIDTH);
            blockAt += (WORDS + 1) * STEP_BYTES;
        }
    }

    /** 3 panels, 2 rows. */
    static void tile3x2(
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
        int in = xAt;
        long blockAt = at;
        for (int block = 0; block < blocks; block++) {
            FloatVector start0 = FloatVector.broadcast(FLOATS, starts[startsAt + 2 * block]);
            FloatVector sum0a = start0;
            FloatVector sum0b = start0;
            FloatVector sum0c = start0;
            FloatVector start1 = FloatVector.broadcast(FLOATS, starts[startsAt + 2 * block + 1]);
            FloatVector sum1a = start1;
            FloatVector sum1b = start1;
            FloatVector sum1c = start1;
            for (int word = 1; word <= WORDS; word++) {
                long wordAt = blockAt + word * STEP_BYTES;
                IntVector bitsa = IntVector.fromMemorySegment(INTS, w.asSlice(wordAt, VECTOR_BYTES), 0, LITTLE);
                IntVector bitsb =
                        IntVector.fromMemorySegment(INTS, w.asSlice(wordAt + panelBytes, VECTOR_BYTES), 0, LITTLE);
                IntVector bitsc =
                        IntVector.fromMemorySegment(INTS, w.asSlice(wordAt + 2 * panelBytes, VECTOR_BYTES), 0, LITTLE);
                for (int i = 0; i < FIELDS; i++) {
                    FloatVector valuea = field.and(bitsa).or(one).reinterpretAsFloats();
                    bitsa = allOnes.and(bitsa).lanewise(VectorOperators.ROR, BITS);
                    FloatVector valueb = field.and(bitsb).or(one).reinterpretAsFloats();
                    bitsb = allOnes.and(bitsb).lanewise(VectorOperators.ROR, BITS);
                    FloatVector valuec = field.and(bitsc).or(one).reinterpretAsFloats();
                    bitsc = allOnes.and(bitsc).lanewise(VectorOperators.ROR, BITS);
                    FloatVector x0 = FloatVector.broadcast(FLOATS, x[in]);
                    sum0a = valuea.fma(x0, sum0a);
                    sum0b = valueb.fma(x0, sum0b);
                    sum0c = valuec.fma(x0, sum0c);
                    FloatVector x1 = FloatVector.broadcast(FLOATS, x[in + 1]);
                    sum1a = valuea.fma(x1, sum1a);
                    sum1b = valueb.fma(x1, sum1b);
                    sum1c = valuec.fma(x1, sum1c);
                    in += 2;
                }
            }
            FloatVector scalea = FloatVector.fromMemorySegment(FLOATS, w.asSlice(blockAt, VECTOR_BYTES), 0, LITTLE);
            FloatVector scaleb =
                    FloatVector.fromMemorySegment(FLOATS, w.asSlice(blockAt + panelBytes, VECTOR_BYTES), 0, LITTLE);
            FloatVector scalec =
                    FloatVector.fromMemorySegment(FLOATS, w.asSlice(blockAt + 2 * panelBytes, VECTOR_BYTES), 0, LITTLE);
            sum0a.fma(scalea, FloatVector.fromArray(FLOATS, y, yAt)).intoArray(y, yAt);
            sum0b.fma(scaleb, FloatVector.fromArray(FLOATS, y, yAt + WIDTH)).intoArray(y, yAt + WIDTH);
            sum0c.fma(scalec, FloatVector.fromArray(FLOATS, y, yAt + 2 * WIDTH)).intoArray(y, yAt + 2 * WIDTH);
            sum1a.fma(scalea, FloatVector.fromArray(FLOATS, y, yAt + yStride)).intoArray(y, yAt + yStride);
            sum1b.fma(scaleb, FloatVector.fromArray(FLOATS, y, yAt + yStride + WIDTH))
                    .intoArray(y, yAt + yStride + WIDTH);
            sum1c.fma(scalec, FloatVector.fromArray(FLOATS, y, yAt + yStride + 2 * WIDTH))
                    .intoArray(y, yAt + yStride + 2 * WIDTH);
            blockAt += (WORDS + 1) * STEP_BYTES;
        }
    }

    /** 3 panels, 4 rows. */
    static void tile3x4(
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
        int in = xAt;
        long blockAt = at;
        for (int block = 0; block < blocks; block++) {
            FloatVector start0 = FloatVector.broadcast(FLOATS, starts[startsAt + 4 * block]);
            FloatVector sum0a = start0;
            FloatVector sum0b = start0;
            FloatVector sum0c = start0;
            FloatVector start1 = FloatVector.broadcast(FLOATS, starts[startsAt + 4 * block + 1]);
            FloatVector sum1a = start1;
            FloatVector sum1b = start1;
            FloatVector sum1c = start1;
            FloatVector start2 = FloatVector.broadcast(FLOATS, starts[startsAt + 4 * block + 2]);
            FloatVector sum2a = start2;
            FloatVector sum2b = start2;
            FloatVector sum2c = start2;
            FloatVector start3 = FloatVector.broadcast(FLOATS, starts[startsAt + 4 * block + 3]);
            FloatVector sum3a = start3;
            FloatVector sum3b = start3;
            FloatVector sum3c = start3;
            for (int word = 1; word <= WORDS; word++) {
                long wordAt = blockAt + word * STEP_BYTES;
                IntVector bitsa = IntVector.fromMemorySegment(INTS, w.asSlice(wordAt, VECTOR_BYTES), 0, LITTLE);
                IntVector bitsb =
                        IntVector.fromMemorySegment(INTS, w.asSlice(wordAt + panelBytes, VECTOR_BYTES), 0, LITTLE);
                IntVector bitsc =
                        IntVector.fromMemorySegment(INTS, w.asSlice(wordAt + 2 * panelBytes, VECTOR_BYTES), 0, LITTLE);
                for (int i = 0; i < FIELDS; i++) {
                    FloatVector valuea = field.and(bitsa).or(one).reinterpretAsFloats();
                    bitsa = allOnes.and(bitsa).lanewise(VectorOperators.ROR, BITS);
                    FloatVector valueb = field.and(bitsb).or(one).reinterpretAsFloats();
                    bitsb = allOnes.and(bitsb).lanewise(VectorOperators.ROR, BITS);
                    FloatVector valuec = field.and(bitsc).or(one).reinterpretAsFloats();
                    bitsc = allOnes.and(bitsc).lanewise(VectorOperators.ROR, BITS);
                    FloatVector x0 = FloatVector.broadcast(FLOATS, x[in]);
                    sum0a = valuea.fma(x0, sum0a);
                    sum0b = valueb.fma(x0, sum0b);
                    sum0c = valuec.fma(x0, sum0c);
                    FloatVector x1 = FloatVector.broadcast(FLOATS, x[in + 1]);
                    sum1a = valuea.fma(x1, sum1a);
                    sum1b = valueb.fma(x1, sum1b);
                    sum1c = valuec.fma(x1, sum1c);
                    FloatVector x2 = FloatVector.broadcast(FLOATS, x[in + 2]);
                    sum2a = valuea.fma(x2, sum2a);
                    sum2b = valueb.fma(x2, sum2b);
                    sum2c = valuec.fma(x2, sum2c);
                    FloatVector x3 = FloatVector.broadcast(FLOATS, x[in + 3]);
                    sum3a = valuea.fma(x3, sum3a);
                    sum3b = valueb.fma(x3, sum3b);
                    sum3c = valuec.fma(x3, sum3c);
                    in += 4;
                }
            }
            FloatVector scalea = FloatVector.fromMemorySegment(FLOATS, w.asSlice(blockAt, VECTOR_BYTES), 0, LITTLE);
            FloatVector scaleb =
                    FloatVector.fromMemorySegment(FLOATS, w.asSlice(blockAt + panelBytes, VECTOR_BYTES), 0, LITTLE);
            FloatVector scalec =
                    FloatVector.fromMemorySegment(FLOATS, w.asSlice(blockAt + 2 * panelBytes, VECTOR_BYTES), 0, LITTLE);
            sum0a.fma(scalea, FloatVector.fromArray(FLOATS, y, yAt)).intoArray(y, yAt);
            sum0b.fma(scaleb, FloatVector.fromArray(FLOATS, y, yAt + WIDTH)).intoArray(y, yAt + WIDTH);
            sum0c.fma(scalec, FloatVector.fromArray(FLOATS, y, yAt + 2 * WIDTH)).intoArray(y, yAt + 2 * WIDTH);
            sum1a.fma(scalea, FloatVector.fromArray(FLOATS, y, yAt + yStride)).intoArray(y, yAt + yStride);
            sum1b.fma(scaleb, FloatVector.fromArray(FLOATS, y, yAt + yStride + WIDTH))
                    .intoArray(y, yAt + yStride + WIDTH);
            sum1c.fma(scalec, FloatVector.fromArray(FLOATS, y, yAt + yStride + 2 * WIDTH))
                    .intoArray(y, yAt + yStride + 2 * WIDTH);
            sum2a.fma(scalea, FloatVector.fromArray(FLOATS, y, yAt + 2 * yStride))
                    .intoArray(y, yAt + 2 * yStride);
            sum2b.fma(scaleb, FloatVector.fromArray(FLOATS, y, yAt + 2 * yStride + WIDTH))
                    .intoArray(y, yAt + 2 * yStride + WIDTH);
            sum2c.fma(scalec, FloatVector.fromArray(FLOATS, y, yAt + 2 * yStride + 2 * WIDTH))
                    .intoArray(y, yAt + 2 * yStride + 2 * WIDTH);
            sum3a.fma(scalea, FloatVector.fromArray(FLOATS, y, yAt + 3 * yStride))
                    .intoArray(y, yAt + 3 * yStride);
            sum3b.fma(scaleb, FloatVector.fromArray(FLOATS, y, yAt + 3 * yStride + WIDTH))
                    .intoArray(y, yAt + 3 * yStride + WIDTH);
            sum3c.fma(scalec, FloatVector.fromArray(FLOATS, y, yAt + 3 * yStride + 2 * WIDTH))
                    .intoArray(y, yAt + 3 * yStride + 2 * WIDTH);
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
                    FloatVector valuea = field.and(bitsa).or(one).reinterpretAsFloats();
                    bitsa = allOnes.and(bitsa).lanewise(VectorOperators.ROR, BITS);
                    FloatVector valueb = field.and(bitsb).or(one).reinterpretAsFloats();
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
                    FloatVector valuea = field.and(bitsa).or(one).reinterpretAsFloats();
                    bitsa = allOnes.and(bitsa).lanewise(VectorOperators.ROR, BITS);
                    FloatVector valueb = field.and(bitsb).or(one).reinterpretAsFloats();
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

    /** 2 panels, 6 rows. */
    static void tile2x6(
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
        int in = xAt;
        long blockAt = at;
        for (int block = 0; block < blocks; block++) {
            FloatVector start0 = FloatVector.broadcast(FLOATS, starts[startsAt + 6 * block]);
            FloatVector sum0a = start0;
            FloatVector sum0b = start0;
            FloatVector start1 = FloatVector.broadcast(FLOATS, starts[startsAt + 6 * block + 1]);
            FloatVector sum1a = start1;
            FloatVector sum1b = start1;
            FloatVector start2 = FloatVector.broadcast(FLOATS, starts[startsAt + 6 * block + 2]);
            FloatVector sum2a = start2;
            FloatVector sum2b = start2;
            FloatVector start3 = FloatVector.broadcast(FLOATS, starts[startsAt + 6 * block + 3]);
            FloatVector sum3a = start3;
            FloatVector sum3b = start3;
            FloatVector start4 = FloatVector.broadcast(FLOATS, starts[startsAt + 6 * block + 4]);
            FloatVector sum4a = start4;
            FloatVector sum4b = start4;
            FloatVector start5 = FloatVector.broadcast(FLOATS, starts[startsAt + 6 * block + 5]);
            FloatVector sum5a = start5;
            FloatVector sum5b = start5;
            for (int word = 1; word <= WORDS; word++) {
                long wordAt = blockAt + word * STEP_BYTES;
                IntVector bitsa = IntVector.fromMemorySegment(INTS, w.asSlice(wordAt, VECTOR_BYTES), 0, LITTLE);
                IntVector bitsb =
                        IntVector.fromMemorySegment(INTS, w.asSlice(wordAt + panelBytes, VECTOR_BYTES), 0, LITTLE);
                for (int i = 0; i < FIELDS; i++) {
                    FloatVector valuea = field.and(bitsa).or(one).reinterpretAsFloats();
                    bitsa = allOnes.and(bitsa).lanewise(VectorOperators.ROR, BITS);
                    FloatVector valueb = field.and(bitsb).or(one).reinterpretAsFloats();
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
                    FloatVector x4 = FloatVector.broadcast(FLOATS, x[in + 4]);
                    sum4a = valuea.fma(x4, sum4a);
                    sum4b = valueb.fma(x4, sum4b);
                    FloatVector x5 = FloatVector.broadcast(FLOATS, x[in + 5]);
                    sum5a = valuea.fma(x5, sum5a);
                    sum5b = valueb.fma(x5, sum5b);
                    in += 6;
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
            sum2a.fma(scalea, FloatVector.fromArray(FLOATS, y, yAt + 2 * yStride))
                    .intoArray(y, yAt + 2 * yStride);
            sum2b.fma(scaleb, FloatVector.fromArray(FLOATS, y, yAt + 2 * yStride + WIDTH))
                    .intoArray(y, yAt + 2 * yStride + WIDTH);
            sum3a.fma(scalea, FloatVector.fromArray(FLOATS, y, yAt + 3 * yStride))
                    .intoArray(y, yAt + 3 * yStride);
            sum3b.fma(scaleb, FloatVector.fromArray(FLOATS, y, yAt + 3 * yStride + WIDTH))
                    .intoArray(y, yAt + 3 * yStride + WIDTH);
            sum4a.fma(scalea, FloatVector.fromArray(FLOATS, y, yAt + 4 * yStride))
                    .intoArray(y, yAt + 4 * yStride);
            sum4b.fma(scaleb, FloatVector.fromArray(FLOATS, y, yAt + 4 * yStride + WIDTH))
                    .intoArray(y, yAt + 4 * yStride + WIDTH);
            sum5a.fma(scalea, FloatVector.fromArray(FLOATS, y, yAt + 5 * yStride))
                    .intoArray(y, yAt + 5 * yStride);
            sum5b.fma(scaleb, FloatVector.fromArray(FLOATS, y, yAt + 5 * yStride + WIDTH))
                    .intoArray(y, yAt + 5 * yStride + WIDTH);
            blockAt += (WORDS + 1) * STEP_BYTES;
        }
    }

    /** 2 panels, 8 rows. */
    static void tile2x8(
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
        int in = xAt;
        long blockAt = at;
        for (int block = 0; block < blocks; block++) {
            FloatVector start0 = FloatVector.broadcast(FLOATS, starts[startsAt + 8 * block]);
            FloatVector sum0a = start0;
            FloatVector sum0b = start0;
            FloatVector start1 = FloatVector.broadcast(FLOATS, starts[startsAt + 8 * block + 1]);
            FloatVector sum1a = start1;
            FloatVector sum1b = start1;
            FloatVector start2 = FloatVector.broadcast(FLOATS, starts[startsAt + 8 * block + 2]);
            FloatVector sum2a = start2;
            FloatVector sum2b = start2;
            FloatVector start3 = FloatVector.broadcast(FLOATS, starts[startsAt + 8 * block + 3]);
            FloatVector sum3a = start3;
            FloatVector sum3b = start3;
            FloatVector start4 = FloatVector.broadcast(FLOATS, starts[startsAt + 8 * block + 4]);
            FloatVector sum4a = start4;
            FloatVector sum4b = start4;
            FloatVector start5 = FloatVector.broadcast(FLOATS, starts[startsAt + 8 * block + 5]);
            FloatVector sum5a = start5;
            FloatVector sum5b = start5;
            FloatVector start6 = FloatVector.broadcast(FLOATS, starts[startsAt + 8 * block + 6]);
            FloatVector sum6a = start6;
            FloatVector sum6b = start6;
            FloatVector start7 = FloatVector.broadcast(FLOATS, starts[startsAt + 8 * block + 7]);
            FloatVector sum7a = start7;
            FloatVector sum7b = start7;
            for (int word = 1; word <= WORDS; word++) {
                long wordAt = blockAt + word * STEP_BYTES;
                IntVector bitsa = IntVector.fromMemorySegment(INTS, w.asSlice(wordAt, VECTOR_BYTES), 0, LITTLE);
                IntVector bitsb =
                        IntVector.fromMemorySegment(INTS, w.asSlice(wordAt + panelBytes, VECTOR_BYTES), 0, LITTLE);
                for (int i = 0; i < FIELDS; i++) {
                    FloatVector valuea = field.and(bitsa).or(one).reinterpretAsFloats();
                    bitsa = allOnes.and(bitsa).lanewise(VectorOperators.ROR, BITS);
                    FloatVector valueb = field.and(bitsb).or(one).reinterpretAsFloats();
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
                    FloatVector x4 = FloatVector.broadcast(FLOATS, x[in + 4]);
                    sum4a = valuea.fma(x4, sum4a);
                    sum4b = valueb.fma(x4, sum4b);
                    FloatVector x5 = FloatVector.broadcast(FLOATS, x[in + 5]);
                    sum5a = valuea.fma(x5, sum5a);
                    sum5b = valueb.fma(x5, sum5b);
                    FloatVector x6 = FloatVector.broadcast(FLOATS, x[in + 6]);
                    sum6a = valuea.fma(x6, sum6a);
                    sum6b = valueb.fma(x6, sum6b);
                    FloatVector x7 = FloatVector.broadcast(FLOATS, x[in + 7]);
                    sum7a = valuea.fma(x7, sum7a);
                    sum7b = valueb.fma(x7, sum7b);
                    in += 8;
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
            sum2a.fma(scalea, FloatVector.fromArray(FLOATS, y, yAt + 2 * yStride))
                    .intoArray(y, yAt + 2 * yStride);
            sum2b.fma(scaleb, FloatVector.fromArray(FLOATS, y, yAt + 2 * yStride + WIDTH))
                    .intoArray(y, yAt + 2 * yStride + WIDTH);
            sum3a.fma(scalea, FloatVector.fromArray(FLOATS, y, yAt + 3 * yStride))
                    .intoArray(y, yAt + 3 * yStride);
            sum3b.fma(scaleb, FloatVector.fromArray(FLOATS, y, yAt + 3 * yStride + WIDTH))
                    .intoArray(y, yAt + 3 * yStride + WIDTH);
            sum4a.fma(scalea, FloatVector.fromArray(FLOATS, y, yAt + 4 * yStride))
                    .intoArray(y, yAt + 4 * yStride);
            sum4b.fma(scaleb, FloatVector.fromArray(FLOATS, y, yAt + 4 * yStride + WIDTH))
                    .intoArray(y, yAt + 4 * yStride + WIDTH);
            sum5a.fma(scalea, FloatVector.fromArray(FLOATS, y, yAt + 5 * yStride))
                    .intoArray(y, yAt + 5 * yStride);
            sum5b.fma(scaleb, FloatVector.fromArray(FLOATS, y, yAt + 5 * yStride + WIDTH))
                    .intoArray(y, yAt + 5 * yStride + WIDTH);
            sum6a.fma(scalea, FloatVector.fromArray(FLOATS, y, yAt + 6 * yStride))
                    .intoArray(y, yAt + 6 * yStride);
            sum6b.fma(scaleb, FloatVector.fromArray(FLOATS, y, yAt + 6 * yStride + WIDTH))
                    .intoArray(y, yAt + 6 * yStride + WIDTH);
            sum7a.fma(scalea, FloatVector.fromArray(FLOATS, y, yAt + 7 * yStride))
                    .intoArray(y, yAt + 7 * yStride);
            sum7b.fma(scaleb, FloatVector.fromArray(FLOATS, y, yAt + 7 * yStride + WIDTH))
                    .intoArray(y, yAt + 7 * yStride + WIDTH);
            blockAt += (WORDS + 1) * STEP_BYTES;
        }
    }
}
