package io.prism.kernels.vector;

import static io.prism.kernels.vector.PanelLayout.STEP_BYTES;
import static io.prism.kernels.vector.PanelLayout.WIDTH;

import io.prism.kernels.Precision;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Adds the products of Q4 panels and {@link RoundedActivations} to tiles of y, block by block, in integers of 16 bits: a vector
 * has twice as many of them as floats, and a field of 4 bits needs no conversion.
 *
 * <p>A word of an output holds 8 fields, 4 in each half, and the activations of two inputs lie as the halves of a word likewise.
 * A half's sum over a block has 16 products of weight - 8, from -8 to 7, and an activation, from -255 to 255: it fits 16
 * bits, and so do the steps to it, as integers that wrap around come back. It starts from -8 times the sum of its
 * activations, so that fields are multiplied as they are; the low half's also from {@link RoundedActivations#LOW_OFFSET}, so
 * that it is not negative and needs no sign when the halves are added. Block sums are exact; each is then added to y with one
 * rounding.
 *
 * <p>Parameters of every tile: weights {@code w}, in which the first panel's steps begin at byte {@code at} and panels are
 * {@code panelBytes} apart; activations from {@code x[xAt]}, and for each block what its sums start from and its scale, from
 * {@code startsAt}, all with the tile's rows interleaved; sums in {@code y} from {@code yAt}, rows {@code yStride} apart. A tile
 * covers one vector of words of each panel. Larger tiles put a block's sums into {@code sums}, [row][panel][half], of at least
 * {@link #MOST_SUMS}, on their way to y.
 *
 * <p>What the JIT compiler demands: below 40,000 nodes while it inlines (about 300 for each operation written here), beyond
 * which it leaves calls and boxes vectors in some starts of a program; hence the loops over sums, which cost a tenth of
 * the time at 8 rows (measured on AMD Zen 4, 2026-11). Only sums go from one round of a loop to the next, and as arguments (see {@link
 * MixedProfiles}); hence shifts by a variable of words as they were loaded. Constants are vectors outside the loops and not scalars for
 * the same reason. Weights are loaded from the segment itself: slices of it (see {@link Q4Tiles}) are more nodes.
 */
final class RoundedQ4Tiles {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Short> SHORTS = ShortVector.SPECIES_PREFERRED;
    private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
    private static final int BITS = 4;
    private static final short FIELD = (1 << BITS) - 1;
    private static final int HALF = Short.SIZE;
    private static final int LOW_HALF = (1 << HALF) - 1;
    private static final int HALVES = SHORTS.length();

    /** Elements of the sums of a tile's block. */
    static final int MOST_SUMS = 16 * HALVES;

    /** The float of a block's sum 0, when the sum is added to the bits of {@link RoundedActivations#ROUNDING}. */
    private static final float ZERO = RoundedActivations.ROUNDING + RoundedActivations.LOW_OFFSET;

    private static final int WORDS = Precision.BLOCK * BITS / Integer.SIZE;
    private static final int BLOCK_STEPS = WORDS + 1;

    private RoundedQ4Tiles() {}

    /** 8 panels, 1 row. */
    static void tile8x1(
            MemorySegment w,
            long at,
            long panelBytes,
            int blocks,
            int[] x,
            int xAt,
            int[] starts,
            float[] scales,
            int startsAt,
            short[] sums,
            float[] y,
            int yAt,
            int yStride) {
        ShortVector field = ShortVector.broadcast(SHORTS, FIELD);
        IntVector lowHalf = IntVector.broadcast(INTS, LOW_HALF);
        IntVector rounding = IntVector.broadcast(INTS, RoundedActivations.ROUNDING_BITS);
        FloatVector zero = FloatVector.broadcast(FLOATS, ZERO);
        int in = xAt;
        long blockAt = at;
        for (int block = 0; block < blocks; block++) {
            int first = startsAt + block;
            ShortVector start0 = IntVector.broadcast(INTS, starts[first]).reinterpretAsShorts();
            ShortVector sum0a = start0;
            ShortVector sum0b = start0;
            ShortVector sum0c = start0;
            ShortVector sum0d = start0;
            ShortVector sum0e = start0;
            ShortVector sum0f = start0;
            ShortVector sum0g = start0;
            ShortVector sum0h = start0;
            for (int word = 1; word <= WORDS; word++) {
                long wordAt = blockAt + word * STEP_BYTES;
                ShortVector bitsa = ShortVector.fromMemorySegment(SHORTS, w, wordAt, LITTLE);
                ShortVector bitsb = ShortVector.fromMemorySegment(SHORTS, w, wordAt + panelBytes, LITTLE);
                ShortVector bitsc = ShortVector.fromMemorySegment(SHORTS, w, wordAt + 2 * panelBytes, LITTLE);
                ShortVector bitsd = ShortVector.fromMemorySegment(SHORTS, w, wordAt + 3 * panelBytes, LITTLE);
                ShortVector bitse = ShortVector.fromMemorySegment(SHORTS, w, wordAt + 4 * panelBytes, LITTLE);
                ShortVector bitsf = ShortVector.fromMemorySegment(SHORTS, w, wordAt + 5 * panelBytes, LITTLE);
                ShortVector bitsg = ShortVector.fromMemorySegment(SHORTS, w, wordAt + 6 * panelBytes, LITTLE);
                ShortVector bitsh = ShortVector.fromMemorySegment(SHORTS, w, wordAt + 7 * panelBytes, LITTLE);
                for (int shift = 0; shift < HALF; shift += BITS) {
                    ShortVector valuea =
                            bitsa.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector valueb =
                            bitsb.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector valuec =
                            bitsc.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector valued =
                            bitsd.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector valuee =
                            bitse.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector valuef =
                            bitsf.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector valueg =
                            bitsg.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector valueh =
                            bitsh.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector x0 = IntVector.broadcast(INTS, x[in]).reinterpretAsShorts();
                    sum0a = valuea.mul(x0).add(sum0a);
                    sum0b = valueb.mul(x0).add(sum0b);
                    sum0c = valuec.mul(x0).add(sum0c);
                    sum0d = valued.mul(x0).add(sum0d);
                    sum0e = valuee.mul(x0).add(sum0e);
                    sum0f = valuef.mul(x0).add(sum0f);
                    sum0g = valueg.mul(x0).add(sum0g);
                    sum0h = valueh.mul(x0).add(sum0h);
                    in++;
                }
            }
            sum0a.intoArray(sums, 0);
            sum0b.intoArray(sums, HALVES);
            sum0c.intoArray(sums, 2 * HALVES);
            sum0d.intoArray(sums, 3 * HALVES);
            sum0e.intoArray(sums, 4 * HALVES);
            sum0f.intoArray(sums, 5 * HALVES);
            sum0g.intoArray(sums, 6 * HALVES);
            sum0h.intoArray(sums, 7 * HALVES);
            FloatVector rowScale = FloatVector.broadcast(FLOATS, scales[first]);
            int from = 0;
            int to = yAt;
            long scalesAt = blockAt;
            for (int panel = 0; panel < 8; panel += 2) {
                FloatVector scalea = FloatVector.fromMemorySegment(FLOATS, w, scalesAt, LITTLE)
                        .mul(rowScale);
                IntVector paira = ShortVector.fromArray(SHORTS, sums, from).reinterpretAsInts();
                FloatVector wholea = paira.and(lowHalf)
                        .or(rounding)
                        .add(paira.lanewise(VectorOperators.ASHR, HALF))
                        .reinterpretAsFloats()
                        .sub(zero);
                wholea.fma(scalea, FloatVector.fromArray(FLOATS, y, to)).intoArray(y, to);
                FloatVector scaleb = FloatVector.fromMemorySegment(FLOATS, w, scalesAt + panelBytes, LITTLE)
                        .mul(rowScale);
                IntVector pairb =
                        ShortVector.fromArray(SHORTS, sums, from + HALVES).reinterpretAsInts();
                FloatVector wholeb = pairb.and(lowHalf)
                        .or(rounding)
                        .add(pairb.lanewise(VectorOperators.ASHR, HALF))
                        .reinterpretAsFloats()
                        .sub(zero);
                wholeb.fma(scaleb, FloatVector.fromArray(FLOATS, y, to + WIDTH)).intoArray(y, to + WIDTH);
                from += 2 * HALVES;
                to += 2 * WIDTH;
                scalesAt += 2 * panelBytes;
            }
            blockAt += BLOCK_STEPS * STEP_BYTES;
        }
    }

    /** 4 panels, 1 row. */
    static void tile4x1(
            MemorySegment w,
            long at,
            long panelBytes,
            int blocks,
            int[] x,
            int xAt,
            int[] starts,
            float[] scales,
            int startsAt,
            float[] y,
            int yAt,
            int yStride) {
        ShortVector field = ShortVector.broadcast(SHORTS, FIELD);
        IntVector lowHalf = IntVector.broadcast(INTS, LOW_HALF);
        IntVector rounding = IntVector.broadcast(INTS, RoundedActivations.ROUNDING_BITS);
        FloatVector zero = FloatVector.broadcast(FLOATS, ZERO);
        int in = xAt;
        long blockAt = at;
        for (int block = 0; block < blocks; block++) {
            int first = startsAt + block;
            ShortVector start0 = IntVector.broadcast(INTS, starts[first]).reinterpretAsShorts();
            ShortVector sum0a = start0;
            ShortVector sum0b = start0;
            ShortVector sum0c = start0;
            ShortVector sum0d = start0;
            for (int word = 1; word <= WORDS; word++) {
                long wordAt = blockAt + word * STEP_BYTES;
                ShortVector bitsa = ShortVector.fromMemorySegment(SHORTS, w, wordAt, LITTLE);
                ShortVector bitsb = ShortVector.fromMemorySegment(SHORTS, w, wordAt + panelBytes, LITTLE);
                ShortVector bitsc = ShortVector.fromMemorySegment(SHORTS, w, wordAt + 2 * panelBytes, LITTLE);
                ShortVector bitsd = ShortVector.fromMemorySegment(SHORTS, w, wordAt + 3 * panelBytes, LITTLE);
                for (int shift = 0; shift < HALF; shift += BITS) {
                    ShortVector valuea =
                            bitsa.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector valueb =
                            bitsb.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector valuec =
                            bitsc.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector valued =
                            bitsd.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector x0 = IntVector.broadcast(INTS, x[in]).reinterpretAsShorts();
                    sum0a = valuea.mul(x0).add(sum0a);
                    sum0b = valueb.mul(x0).add(sum0b);
                    sum0c = valuec.mul(x0).add(sum0c);
                    sum0d = valued.mul(x0).add(sum0d);
                    in++;
                }
            }
            FloatVector scalea = FloatVector.fromMemorySegment(FLOATS, w, blockAt, LITTLE);
            FloatVector scaleb = FloatVector.fromMemorySegment(FLOATS, w, blockAt + panelBytes, LITTLE);
            FloatVector scalec = FloatVector.fromMemorySegment(FLOATS, w, blockAt + 2 * panelBytes, LITTLE);
            FloatVector scaled = FloatVector.fromMemorySegment(FLOATS, w, blockAt + 3 * panelBytes, LITTLE);
            FloatVector rowScale0 = FloatVector.broadcast(FLOATS, scales[first]);
            IntVector pair0a = sum0a.reinterpretAsInts();
            FloatVector whole0a = pair0a.and(lowHalf)
                    .or(rounding)
                    .add(pair0a.lanewise(VectorOperators.ASHR, HALF))
                    .reinterpretAsFloats()
                    .sub(zero);
            whole0a.fma(scalea.mul(rowScale0), FloatVector.fromArray(FLOATS, y, yAt))
                    .intoArray(y, yAt);
            IntVector pair0b = sum0b.reinterpretAsInts();
            FloatVector whole0b = pair0b.and(lowHalf)
                    .or(rounding)
                    .add(pair0b.lanewise(VectorOperators.ASHR, HALF))
                    .reinterpretAsFloats()
                    .sub(zero);
            whole0b.fma(scaleb.mul(rowScale0), FloatVector.fromArray(FLOATS, y, yAt + WIDTH))
                    .intoArray(y, yAt + WIDTH);
            IntVector pair0c = sum0c.reinterpretAsInts();
            FloatVector whole0c = pair0c.and(lowHalf)
                    .or(rounding)
                    .add(pair0c.lanewise(VectorOperators.ASHR, HALF))
                    .reinterpretAsFloats()
                    .sub(zero);
            whole0c.fma(scalec.mul(rowScale0), FloatVector.fromArray(FLOATS, y, yAt + 2 * WIDTH))
                    .intoArray(y, yAt + 2 * WIDTH);
            IntVector pair0d = sum0d.reinterpretAsInts();
            FloatVector whole0d = pair0d.and(lowHalf)
                    .or(rounding)
                    .add(pair0d.lanewise(VectorOperators.ASHR, HALF))
                    .reinterpretAsFloats()
                    .sub(zero);
            whole0d.fma(scaled.mul(rowScale0), FloatVector.fromArray(FLOATS, y, yAt + 3 * WIDTH))
                    .intoArray(y, yAt + 3 * WIDTH);
            blockAt += BLOCK_STEPS * STEP_BYTES;
        }
    }

    /** 4 panels, 2 rows. */
    static void tile4x2(
            MemorySegment w,
            long at,
            long panelBytes,
            int blocks,
            int[] x,
            int xAt,
            int[] starts,
            float[] scales,
            int startsAt,
            short[] sums,
            float[] y,
            int yAt,
            int yStride) {
        ShortVector field = ShortVector.broadcast(SHORTS, FIELD);
        IntVector lowHalf = IntVector.broadcast(INTS, LOW_HALF);
        IntVector rounding = IntVector.broadcast(INTS, RoundedActivations.ROUNDING_BITS);
        FloatVector zero = FloatVector.broadcast(FLOATS, ZERO);
        int in = xAt;
        long blockAt = at;
        for (int block = 0; block < blocks; block++) {
            int first = startsAt + 2 * block;
            ShortVector start0 = IntVector.broadcast(INTS, starts[first]).reinterpretAsShorts();
            ShortVector sum0a = start0;
            ShortVector sum0b = start0;
            ShortVector sum0c = start0;
            ShortVector sum0d = start0;
            ShortVector start1 = IntVector.broadcast(INTS, starts[first + 1]).reinterpretAsShorts();
            ShortVector sum1a = start1;
            ShortVector sum1b = start1;
            ShortVector sum1c = start1;
            ShortVector sum1d = start1;
            for (int word = 1; word <= WORDS; word++) {
                long wordAt = blockAt + word * STEP_BYTES;
                ShortVector bitsa = ShortVector.fromMemorySegment(SHORTS, w, wordAt, LITTLE);
                ShortVector bitsb = ShortVector.fromMemorySegment(SHORTS, w, wordAt + panelBytes, LITTLE);
                ShortVector bitsc = ShortVector.fromMemorySegment(SHORTS, w, wordAt + 2 * panelBytes, LITTLE);
                ShortVector bitsd = ShortVector.fromMemorySegment(SHORTS, w, wordAt + 3 * panelBytes, LITTLE);
                for (int shift = 0; shift < HALF; shift += BITS) {
                    ShortVector valuea =
                            bitsa.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector valueb =
                            bitsb.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector valuec =
                            bitsc.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector valued =
                            bitsd.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector x0 = IntVector.broadcast(INTS, x[in]).reinterpretAsShorts();
                    sum0a = valuea.mul(x0).add(sum0a);
                    sum0b = valueb.mul(x0).add(sum0b);
                    sum0c = valuec.mul(x0).add(sum0c);
                    sum0d = valued.mul(x0).add(sum0d);
                    ShortVector x1 = IntVector.broadcast(INTS, x[in + 1]).reinterpretAsShorts();
                    sum1a = valuea.mul(x1).add(sum1a);
                    sum1b = valueb.mul(x1).add(sum1b);
                    sum1c = valuec.mul(x1).add(sum1c);
                    sum1d = valued.mul(x1).add(sum1d);
                    in += 2;
                }
            }
            sum0a.intoArray(sums, 0);
            sum0b.intoArray(sums, HALVES);
            sum0c.intoArray(sums, 2 * HALVES);
            sum0d.intoArray(sums, 3 * HALVES);
            sum1a.intoArray(sums, 4 * HALVES);
            sum1b.intoArray(sums, 5 * HALVES);
            sum1c.intoArray(sums, 6 * HALVES);
            sum1d.intoArray(sums, 7 * HALVES);
            FloatVector scalea = FloatVector.fromMemorySegment(FLOATS, w, blockAt, LITTLE);
            FloatVector scaleb = FloatVector.fromMemorySegment(FLOATS, w, blockAt + panelBytes, LITTLE);
            FloatVector scalec = FloatVector.fromMemorySegment(FLOATS, w, blockAt + 2 * panelBytes, LITTLE);
            FloatVector scaled = FloatVector.fromMemorySegment(FLOATS, w, blockAt + 3 * panelBytes, LITTLE);
            int from = 0;
            int to = yAt;
            for (int row = 0; row < 2; row++) {
                FloatVector rowScale = FloatVector.broadcast(FLOATS, scales[first + row]);
                IntVector paira = ShortVector.fromArray(SHORTS, sums, from).reinterpretAsInts();
                FloatVector wholea = paira.and(lowHalf)
                        .or(rounding)
                        .add(paira.lanewise(VectorOperators.ASHR, HALF))
                        .reinterpretAsFloats()
                        .sub(zero);
                wholea.fma(scalea.mul(rowScale), FloatVector.fromArray(FLOATS, y, to))
                        .intoArray(y, to);
                IntVector pairb =
                        ShortVector.fromArray(SHORTS, sums, from + HALVES).reinterpretAsInts();
                FloatVector wholeb = pairb.and(lowHalf)
                        .or(rounding)
                        .add(pairb.lanewise(VectorOperators.ASHR, HALF))
                        .reinterpretAsFloats()
                        .sub(zero);
                wholeb.fma(scaleb.mul(rowScale), FloatVector.fromArray(FLOATS, y, to + WIDTH))
                        .intoArray(y, to + WIDTH);
                IntVector pairc =
                        ShortVector.fromArray(SHORTS, sums, from + 2 * HALVES).reinterpretAsInts();
                FloatVector wholec = pairc.and(lowHalf)
                        .or(rounding)
                        .add(pairc.lanewise(VectorOperators.ASHR, HALF))
                        .reinterpretAsFloats()
                        .sub(zero);
                wholec.fma(scalec.mul(rowScale), FloatVector.fromArray(FLOATS, y, to + 2 * WIDTH))
                        .intoArray(y, to + 2 * WIDTH);
                IntVector paird =
                        ShortVector.fromArray(SHORTS, sums, from + 3 * HALVES).reinterpretAsInts();
                FloatVector wholed = paird.and(lowHalf)
                        .or(rounding)
                        .add(paird.lanewise(VectorOperators.ASHR, HALF))
                        .reinterpretAsFloats()
                        .sub(zero);
                wholed.fma(scaled.mul(rowScale), FloatVector.fromArray(FLOATS, y, to + 3 * WIDTH))
                        .intoArray(y, to + 3 * WIDTH);
                from += 4 * HALVES;
                to += yStride;
            }
            blockAt += BLOCK_STEPS * STEP_BYTES;
        }
    }

    /** 2 panels, 2 rows. */
    static void tile2x2(
            MemorySegment w,
            long at,
            long panelBytes,
            int blocks,
            int[] x,
            int xAt,
            int[] starts,
            float[] scales,
            int startsAt,
            float[] y,
            int yAt,
            int yStride) {
        ShortVector field = ShortVector.broadcast(SHORTS, FIELD);
        IntVector lowHalf = IntVector.broadcast(INTS, LOW_HALF);
        IntVector rounding = IntVector.broadcast(INTS, RoundedActivations.ROUNDING_BITS);
        FloatVector zero = FloatVector.broadcast(FLOATS, ZERO);
        int in = xAt;
        long blockAt = at;
        for (int block = 0; block < blocks; block++) {
            int first = startsAt + 2 * block;
            ShortVector start0 = IntVector.broadcast(INTS, starts[first]).reinterpretAsShorts();
            ShortVector sum0a = start0;
            ShortVector sum0b = start0;
            ShortVector start1 = IntVector.broadcast(INTS, starts[first + 1]).reinterpretAsShorts();
            ShortVector sum1a = start1;
            ShortVector sum1b = start1;
            for (int word = 1; word <= WORDS; word++) {
                long wordAt = blockAt + word * STEP_BYTES;
                ShortVector bitsa = ShortVector.fromMemorySegment(SHORTS, w, wordAt, LITTLE);
                ShortVector bitsb = ShortVector.fromMemorySegment(SHORTS, w, wordAt + panelBytes, LITTLE);
                for (int shift = 0; shift < HALF; shift += BITS) {
                    ShortVector valuea =
                            bitsa.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector valueb =
                            bitsb.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector x0 = IntVector.broadcast(INTS, x[in]).reinterpretAsShorts();
                    sum0a = valuea.mul(x0).add(sum0a);
                    sum0b = valueb.mul(x0).add(sum0b);
                    ShortVector x1 = IntVector.broadcast(INTS, x[in + 1]).reinterpretAsShorts();
                    sum1a = valuea.mul(x1).add(sum1a);
                    sum1b = valueb.mul(x1).add(sum1b);
                    in += 2;
                }
            }
            FloatVector scalea = FloatVector.fromMemorySegment(FLOATS, w, blockAt, LITTLE);
            FloatVector scaleb = FloatVector.fromMemorySegment(FLOATS, w, blockAt + panelBytes, LITTLE);
            FloatVector rowScale0 = FloatVector.broadcast(FLOATS, scales[first]);
            IntVector pair0a = sum0a.reinterpretAsInts();
            FloatVector whole0a = pair0a.and(lowHalf)
                    .or(rounding)
                    .add(pair0a.lanewise(VectorOperators.ASHR, HALF))
                    .reinterpretAsFloats()
                    .sub(zero);
            whole0a.fma(scalea.mul(rowScale0), FloatVector.fromArray(FLOATS, y, yAt))
                    .intoArray(y, yAt);
            IntVector pair0b = sum0b.reinterpretAsInts();
            FloatVector whole0b = pair0b.and(lowHalf)
                    .or(rounding)
                    .add(pair0b.lanewise(VectorOperators.ASHR, HALF))
                    .reinterpretAsFloats()
                    .sub(zero);
            whole0b.fma(scaleb.mul(rowScale0), FloatVector.fromArray(FLOATS, y, yAt + WIDTH))
                    .intoArray(y, yAt + WIDTH);
            FloatVector rowScale1 = FloatVector.broadcast(FLOATS, scales[first + 1]);
            IntVector pair1a = sum1a.reinterpretAsInts();
            FloatVector whole1a = pair1a.and(lowHalf)
                    .or(rounding)
                    .add(pair1a.lanewise(VectorOperators.ASHR, HALF))
                    .reinterpretAsFloats()
                    .sub(zero);
            whole1a.fma(scalea.mul(rowScale1), FloatVector.fromArray(FLOATS, y, yAt + yStride))
                    .intoArray(y, yAt + yStride);
            IntVector pair1b = sum1b.reinterpretAsInts();
            FloatVector whole1b = pair1b.and(lowHalf)
                    .or(rounding)
                    .add(pair1b.lanewise(VectorOperators.ASHR, HALF))
                    .reinterpretAsFloats()
                    .sub(zero);
            whole1b.fma(scaleb.mul(rowScale1), FloatVector.fromArray(FLOATS, y, yAt + yStride + WIDTH))
                    .intoArray(y, yAt + yStride + WIDTH);
            blockAt += BLOCK_STEPS * STEP_BYTES;
        }
    }

    /** 4 panels, 3 rows. */
    static void tile4x3(
            MemorySegment w,
            long at,
            long panelBytes,
            int blocks,
            int[] x,
            int xAt,
            int[] starts,
            float[] scales,
            int startsAt,
            short[] sums,
            float[] y,
            int yAt,
            int yStride) {
        ShortVector field = ShortVector.broadcast(SHORTS, FIELD);
        IntVector lowHalf = IntVector.broadcast(INTS, LOW_HALF);
        IntVector rounding = IntVector.broadcast(INTS, RoundedActivations.ROUNDING_BITS);
        FloatVector zero = FloatVector.broadcast(FLOATS, ZERO);
        int in = xAt;
        long blockAt = at;
        for (int block = 0; block < blocks; block++) {
            int first = startsAt + 3 * block;
            ShortVector start0 = IntVector.broadcast(INTS, starts[first]).reinterpretAsShorts();
            ShortVector sum0a = start0;
            ShortVector sum0b = start0;
            ShortVector sum0c = start0;
            ShortVector sum0d = start0;
            ShortVector start1 = IntVector.broadcast(INTS, starts[first + 1]).reinterpretAsShorts();
            ShortVector sum1a = start1;
            ShortVector sum1b = start1;
            ShortVector sum1c = start1;
            ShortVector sum1d = start1;
            ShortVector start2 = IntVector.broadcast(INTS, starts[first + 2]).reinterpretAsShorts();
            ShortVector sum2a = start2;
            ShortVector sum2b = start2;
            ShortVector sum2c = start2;
            ShortVector sum2d = start2;
            for (int word = 1; word <= WORDS; word++) {
                long wordAt = blockAt + word * STEP_BYTES;
                ShortVector bitsa = ShortVector.fromMemorySegment(SHORTS, w, wordAt, LITTLE);
                ShortVector bitsb = ShortVector.fromMemorySegment(SHORTS, w, wordAt + panelBytes, LITTLE);
                ShortVector bitsc = ShortVector.fromMemorySegment(SHORTS, w, wordAt + 2 * panelBytes, LITTLE);
                ShortVector bitsd = ShortVector.fromMemorySegment(SHORTS, w, wordAt + 3 * panelBytes, LITTLE);
                for (int shift = 0; shift < HALF; shift += BITS) {
                    ShortVector valuea =
                            bitsa.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector valueb =
                            bitsb.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector valuec =
                            bitsc.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector valued =
                            bitsd.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector x0 = IntVector.broadcast(INTS, x[in]).reinterpretAsShorts();
                    sum0a = valuea.mul(x0).add(sum0a);
                    sum0b = valueb.mul(x0).add(sum0b);
                    sum0c = valuec.mul(x0).add(sum0c);
                    sum0d = valued.mul(x0).add(sum0d);
                    ShortVector x1 = IntVector.broadcast(INTS, x[in + 1]).reinterpretAsShorts();
                    sum1a = valuea.mul(x1).add(sum1a);
                    sum1b = valueb.mul(x1).add(sum1b);
                    sum1c = valuec.mul(x1).add(sum1c);
                    sum1d = valued.mul(x1).add(sum1d);
                    ShortVector x2 = IntVector.broadcast(INTS, x[in + 2]).reinterpretAsShorts();
                    sum2a = valuea.mul(x2).add(sum2a);
                    sum2b = valueb.mul(x2).add(sum2b);
                    sum2c = valuec.mul(x2).add(sum2c);
                    sum2d = valued.mul(x2).add(sum2d);
                    in += 3;
                }
            }
            sum0a.intoArray(sums, 0);
            sum0b.intoArray(sums, HALVES);
            sum0c.intoArray(sums, 2 * HALVES);
            sum0d.intoArray(sums, 3 * HALVES);
            sum1a.intoArray(sums, 4 * HALVES);
            sum1b.intoArray(sums, 5 * HALVES);
            sum1c.intoArray(sums, 6 * HALVES);
            sum1d.intoArray(sums, 7 * HALVES);
            sum2a.intoArray(sums, 8 * HALVES);
            sum2b.intoArray(sums, 9 * HALVES);
            sum2c.intoArray(sums, 10 * HALVES);
            sum2d.intoArray(sums, 11 * HALVES);
            int from = 0;
            int to = yAt;
            FloatVector scalea = FloatVector.fromMemorySegment(FLOATS, w, blockAt, LITTLE);
            FloatVector scaleb = FloatVector.fromMemorySegment(FLOATS, w, blockAt + panelBytes, LITTLE);
            FloatVector scalec = FloatVector.fromMemorySegment(FLOATS, w, blockAt + 2 * panelBytes, LITTLE);
            FloatVector scaled = FloatVector.fromMemorySegment(FLOATS, w, blockAt + 3 * panelBytes, LITTLE);
            for (int row = 0; row < 3; row++) {
                FloatVector rowScale = FloatVector.broadcast(FLOATS, scales[first + row]);
                IntVector paira = ShortVector.fromArray(SHORTS, sums, from).reinterpretAsInts();
                FloatVector wholea = paira.and(lowHalf)
                        .or(rounding)
                        .add(paira.lanewise(VectorOperators.ASHR, HALF))
                        .reinterpretAsFloats()
                        .sub(zero);
                wholea.fma(scalea.mul(rowScale), FloatVector.fromArray(FLOATS, y, to))
                        .intoArray(y, to);
                IntVector pairb =
                        ShortVector.fromArray(SHORTS, sums, from + HALVES).reinterpretAsInts();
                FloatVector wholeb = pairb.and(lowHalf)
                        .or(rounding)
                        .add(pairb.lanewise(VectorOperators.ASHR, HALF))
                        .reinterpretAsFloats()
                        .sub(zero);
                wholeb.fma(scaleb.mul(rowScale), FloatVector.fromArray(FLOATS, y, to + WIDTH))
                        .intoArray(y, to + WIDTH);
                IntVector pairc =
                        ShortVector.fromArray(SHORTS, sums, from + 2 * HALVES).reinterpretAsInts();
                FloatVector wholec = pairc.and(lowHalf)
                        .or(rounding)
                        .add(pairc.lanewise(VectorOperators.ASHR, HALF))
                        .reinterpretAsFloats()
                        .sub(zero);
                wholec.fma(scalec.mul(rowScale), FloatVector.fromArray(FLOATS, y, to + 2 * WIDTH))
                        .intoArray(y, to + 2 * WIDTH);
                IntVector paird =
                        ShortVector.fromArray(SHORTS, sums, from + 3 * HALVES).reinterpretAsInts();
                FloatVector wholed = paird.and(lowHalf)
                        .or(rounding)
                        .add(paird.lanewise(VectorOperators.ASHR, HALF))
                        .reinterpretAsFloats()
                        .sub(zero);
                wholed.fma(scaled.mul(rowScale), FloatVector.fromArray(FLOATS, y, to + 3 * WIDTH))
                        .intoArray(y, to + 3 * WIDTH);
                from += 4 * HALVES;
                to += yStride;
            }
            blockAt += BLOCK_STEPS * STEP_BYTES;
        }
    }

    /** 4 panels, 4 rows. */
    static void tile4x4(
            MemorySegment w,
            long at,
            long panelBytes,
            int blocks,
            int[] x,
            int xAt,
            int[] starts,
            float[] scales,
            int startsAt,
            short[] sums,
            float[] y,
            int yAt,
            int yStride) {
        ShortVector field = ShortVector.broadcast(SHORTS, FIELD);
        IntVector lowHalf = IntVector.broadcast(INTS, LOW_HALF);
        IntVector rounding = IntVector.broadcast(INTS, RoundedActivations.ROUNDING_BITS);
        FloatVector zero = FloatVector.broadcast(FLOATS, ZERO);
        int in = xAt;
        long blockAt = at;
        for (int block = 0; block < blocks; block++) {
            int first = startsAt + 4 * block;
            ShortVector start0 = IntVector.broadcast(INTS, starts[first]).reinterpretAsShorts();
            ShortVector sum0a = start0;
            ShortVector sum0b = start0;
            ShortVector sum0c = start0;
            ShortVector sum0d = start0;
            ShortVector start1 = IntVector.broadcast(INTS, starts[first + 1]).reinterpretAsShorts();
            ShortVector sum1a = start1;
            ShortVector sum1b = start1;
            ShortVector sum1c = start1;
            ShortVector sum1d = start1;
            ShortVector start2 = IntVector.broadcast(INTS, starts[first + 2]).reinterpretAsShorts();
            ShortVector sum2a = start2;
            ShortVector sum2b = start2;
            ShortVector sum2c = start2;
            ShortVector sum2d = start2;
            ShortVector start3 = IntVector.broadcast(INTS, starts[first + 3]).reinterpretAsShorts();
            ShortVector sum3a = start3;
            ShortVector sum3b = start3;
            ShortVector sum3c = start3;
            ShortVector sum3d = start3;
            for (int word = 1; word <= WORDS; word++) {
                long wordAt = blockAt + word * STEP_BYTES;
                ShortVector bitsa = ShortVector.fromMemorySegment(SHORTS, w, wordAt, LITTLE);
                ShortVector bitsb = ShortVector.fromMemorySegment(SHORTS, w, wordAt + panelBytes, LITTLE);
                ShortVector bitsc = ShortVector.fromMemorySegment(SHORTS, w, wordAt + 2 * panelBytes, LITTLE);
                ShortVector bitsd = ShortVector.fromMemorySegment(SHORTS, w, wordAt + 3 * panelBytes, LITTLE);
                for (int shift = 0; shift < HALF; shift += BITS) {
                    ShortVector valuea =
                            bitsa.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector valueb =
                            bitsb.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector valuec =
                            bitsc.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector valued =
                            bitsd.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector x0 = IntVector.broadcast(INTS, x[in]).reinterpretAsShorts();
                    sum0a = valuea.mul(x0).add(sum0a);
                    sum0b = valueb.mul(x0).add(sum0b);
                    sum0c = valuec.mul(x0).add(sum0c);
                    sum0d = valued.mul(x0).add(sum0d);
                    ShortVector x1 = IntVector.broadcast(INTS, x[in + 1]).reinterpretAsShorts();
                    sum1a = valuea.mul(x1).add(sum1a);
                    sum1b = valueb.mul(x1).add(sum1b);
                    sum1c = valuec.mul(x1).add(sum1c);
                    sum1d = valued.mul(x1).add(sum1d);
                    ShortVector x2 = IntVector.broadcast(INTS, x[in + 2]).reinterpretAsShorts();
                    sum2a = valuea.mul(x2).add(sum2a);
                    sum2b = valueb.mul(x2).add(sum2b);
                    sum2c = valuec.mul(x2).add(sum2c);
                    sum2d = valued.mul(x2).add(sum2d);
                    ShortVector x3 = IntVector.broadcast(INTS, x[in + 3]).reinterpretAsShorts();
                    sum3a = valuea.mul(x3).add(sum3a);
                    sum3b = valueb.mul(x3).add(sum3b);
                    sum3c = valuec.mul(x3).add(sum3c);
                    sum3d = valued.mul(x3).add(sum3d);
                    in += 4;
                }
            }
            sum0a.intoArray(sums, 0);
            sum0b.intoArray(sums, HALVES);
            sum0c.intoArray(sums, 2 * HALVES);
            sum0d.intoArray(sums, 3 * HALVES);
            sum1a.intoArray(sums, 4 * HALVES);
            sum1b.intoArray(sums, 5 * HALVES);
            sum1c.intoArray(sums, 6 * HALVES);
            sum1d.intoArray(sums, 7 * HALVES);
            sum2a.intoArray(sums, 8 * HALVES);
            sum2b.intoArray(sums, 9 * HALVES);
            sum2c.intoArray(sums, 10 * HALVES);
            sum2d.intoArray(sums, 11 * HALVES);
            sum3a.intoArray(sums, 12 * HALVES);
            sum3b.intoArray(sums, 13 * HALVES);
            sum3c.intoArray(sums, 14 * HALVES);
            sum3d.intoArray(sums, 15 * HALVES);
            int from = 0;
            int to = yAt;
            FloatVector scalea = FloatVector.fromMemorySegment(FLOATS, w, blockAt, LITTLE);
            FloatVector scaleb = FloatVector.fromMemorySegment(FLOATS, w, blockAt + panelBytes, LITTLE);
            FloatVector scalec = FloatVector.fromMemorySegment(FLOATS, w, blockAt + 2 * panelBytes, LITTLE);
            FloatVector scaled = FloatVector.fromMemorySegment(FLOATS, w, blockAt + 3 * panelBytes, LITTLE);
            for (int row = 0; row < 4; row++) {
                FloatVector rowScale = FloatVector.broadcast(FLOATS, scales[first + row]);
                IntVector paira = ShortVector.fromArray(SHORTS, sums, from).reinterpretAsInts();
                FloatVector wholea = paira.and(lowHalf)
                        .or(rounding)
                        .add(paira.lanewise(VectorOperators.ASHR, HALF))
                        .reinterpretAsFloats()
                        .sub(zero);
                wholea.fma(scalea.mul(rowScale), FloatVector.fromArray(FLOATS, y, to))
                        .intoArray(y, to);
                IntVector pairb =
                        ShortVector.fromArray(SHORTS, sums, from + HALVES).reinterpretAsInts();
                FloatVector wholeb = pairb.and(lowHalf)
                        .or(rounding)
                        .add(pairb.lanewise(VectorOperators.ASHR, HALF))
                        .reinterpretAsFloats()
                        .sub(zero);
                wholeb.fma(scaleb.mul(rowScale), FloatVector.fromArray(FLOATS, y, to + WIDTH))
                        .intoArray(y, to + WIDTH);
                IntVector pairc =
                        ShortVector.fromArray(SHORTS, sums, from + 2 * HALVES).reinterpretAsInts();
                FloatVector wholec = pairc.and(lowHalf)
                        .or(rounding)
                        .add(pairc.lanewise(VectorOperators.ASHR, HALF))
                        .reinterpretAsFloats()
                        .sub(zero);
                wholec.fma(scalec.mul(rowScale), FloatVector.fromArray(FLOATS, y, to + 2 * WIDTH))
                        .intoArray(y, to + 2 * WIDTH);
                IntVector paird =
                        ShortVector.fromArray(SHORTS, sums, from + 3 * HALVES).reinterpretAsInts();
                FloatVector wholed = paird.and(lowHalf)
                        .or(rounding)
                        .add(paird.lanewise(VectorOperators.ASHR, HALF))
                        .reinterpretAsFloats()
                        .sub(zero);
                wholed.fma(scaled.mul(rowScale), FloatVector.fromArray(FLOATS, y, to + 3 * WIDTH))
                        .intoArray(y, to + 3 * WIDTH);
                from += 4 * HALVES;
                to += yStride;
            }
            blockAt += BLOCK_STEPS * STEP_BYTES;
        }
    }

    /** 2 panels, 4 rows. */
    static void tile2x4(
            MemorySegment w,
            long at,
            long panelBytes,
            int blocks,
            int[] x,
            int xAt,
            int[] starts,
            float[] scales,
            int startsAt,
            short[] sums,
            float[] y,
            int yAt,
            int yStride) {
        ShortVector field = ShortVector.broadcast(SHORTS, FIELD);
        IntVector lowHalf = IntVector.broadcast(INTS, LOW_HALF);
        IntVector rounding = IntVector.broadcast(INTS, RoundedActivations.ROUNDING_BITS);
        FloatVector zero = FloatVector.broadcast(FLOATS, ZERO);
        int in = xAt;
        long blockAt = at;
        for (int block = 0; block < blocks; block++) {
            int first = startsAt + 4 * block;
            ShortVector start0 = IntVector.broadcast(INTS, starts[first]).reinterpretAsShorts();
            ShortVector sum0a = start0;
            ShortVector sum0b = start0;
            ShortVector start1 = IntVector.broadcast(INTS, starts[first + 1]).reinterpretAsShorts();
            ShortVector sum1a = start1;
            ShortVector sum1b = start1;
            ShortVector start2 = IntVector.broadcast(INTS, starts[first + 2]).reinterpretAsShorts();
            ShortVector sum2a = start2;
            ShortVector sum2b = start2;
            ShortVector start3 = IntVector.broadcast(INTS, starts[first + 3]).reinterpretAsShorts();
            ShortVector sum3a = start3;
            ShortVector sum3b = start3;
            for (int word = 1; word <= WORDS; word++) {
                long wordAt = blockAt + word * STEP_BYTES;
                ShortVector bitsa = ShortVector.fromMemorySegment(SHORTS, w, wordAt, LITTLE);
                ShortVector bitsb = ShortVector.fromMemorySegment(SHORTS, w, wordAt + panelBytes, LITTLE);
                for (int shift = 0; shift < HALF; shift += BITS) {
                    ShortVector valuea =
                            bitsa.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector valueb =
                            bitsb.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector x0 = IntVector.broadcast(INTS, x[in]).reinterpretAsShorts();
                    sum0a = valuea.mul(x0).add(sum0a);
                    sum0b = valueb.mul(x0).add(sum0b);
                    ShortVector x1 = IntVector.broadcast(INTS, x[in + 1]).reinterpretAsShorts();
                    sum1a = valuea.mul(x1).add(sum1a);
                    sum1b = valueb.mul(x1).add(sum1b);
                    ShortVector x2 = IntVector.broadcast(INTS, x[in + 2]).reinterpretAsShorts();
                    sum2a = valuea.mul(x2).add(sum2a);
                    sum2b = valueb.mul(x2).add(sum2b);
                    ShortVector x3 = IntVector.broadcast(INTS, x[in + 3]).reinterpretAsShorts();
                    sum3a = valuea.mul(x3).add(sum3a);
                    sum3b = valueb.mul(x3).add(sum3b);
                    in += 4;
                }
            }
            sum0a.intoArray(sums, 0);
            sum0b.intoArray(sums, HALVES);
            sum1a.intoArray(sums, 2 * HALVES);
            sum1b.intoArray(sums, 3 * HALVES);
            sum2a.intoArray(sums, 4 * HALVES);
            sum2b.intoArray(sums, 5 * HALVES);
            sum3a.intoArray(sums, 6 * HALVES);
            sum3b.intoArray(sums, 7 * HALVES);
            FloatVector scalea = FloatVector.fromMemorySegment(FLOATS, w, blockAt, LITTLE);
            FloatVector scaleb = FloatVector.fromMemorySegment(FLOATS, w, blockAt + panelBytes, LITTLE);
            int from = 0;
            int to = yAt;
            for (int row = 0; row < 4; row += 2) {
                FloatVector rowScale0 = FloatVector.broadcast(FLOATS, scales[first + row]);
                IntVector pair0a = ShortVector.fromArray(SHORTS, sums, from).reinterpretAsInts();
                FloatVector whole0a = pair0a.and(lowHalf)
                        .or(rounding)
                        .add(pair0a.lanewise(VectorOperators.ASHR, HALF))
                        .reinterpretAsFloats()
                        .sub(zero);
                whole0a.fma(scalea.mul(rowScale0), FloatVector.fromArray(FLOATS, y, to))
                        .intoArray(y, to);
                IntVector pair0b =
                        ShortVector.fromArray(SHORTS, sums, from + HALVES).reinterpretAsInts();
                FloatVector whole0b = pair0b.and(lowHalf)
                        .or(rounding)
                        .add(pair0b.lanewise(VectorOperators.ASHR, HALF))
                        .reinterpretAsFloats()
                        .sub(zero);
                whole0b.fma(scaleb.mul(rowScale0), FloatVector.fromArray(FLOATS, y, to + WIDTH))
                        .intoArray(y, to + WIDTH);
                FloatVector rowScale1 = FloatVector.broadcast(FLOATS, scales[first + row + 1]);
                IntVector pair1a =
                        ShortVector.fromArray(SHORTS, sums, from + 2 * HALVES).reinterpretAsInts();
                FloatVector whole1a = pair1a.and(lowHalf)
                        .or(rounding)
                        .add(pair1a.lanewise(VectorOperators.ASHR, HALF))
                        .reinterpretAsFloats()
                        .sub(zero);
                whole1a.fma(scalea.mul(rowScale1), FloatVector.fromArray(FLOATS, y, to + yStride))
                        .intoArray(y, to + yStride);
                IntVector pair1b =
                        ShortVector.fromArray(SHORTS, sums, from + 3 * HALVES).reinterpretAsInts();
                FloatVector whole1b = pair1b.and(lowHalf)
                        .or(rounding)
                        .add(pair1b.lanewise(VectorOperators.ASHR, HALF))
                        .reinterpretAsFloats()
                        .sub(zero);
                whole1b.fma(scaleb.mul(rowScale1), FloatVector.fromArray(FLOATS, y, to + yStride + WIDTH))
                        .intoArray(y, to + yStride + WIDTH);
                from += 4 * HALVES;
                to += 2 * yStride;
            }
            blockAt += BLOCK_STEPS * STEP_BYTES;
        }
    }

    /** 2 panels, 8 rows. */
    static void tile2x8(
            MemorySegment w,
            long at,
            long panelBytes,
            int blocks,
            int[] x,
            int xAt,
            int[] starts,
            float[] scales,
            int startsAt,
            short[] sums,
            float[] y,
            int yAt,
            int yStride) {
        ShortVector field = ShortVector.broadcast(SHORTS, FIELD);
        IntVector lowHalf = IntVector.broadcast(INTS, LOW_HALF);
        IntVector rounding = IntVector.broadcast(INTS, RoundedActivations.ROUNDING_BITS);
        FloatVector zero = FloatVector.broadcast(FLOATS, ZERO);
        int in = xAt;
        long blockAt = at;
        for (int block = 0; block < blocks; block++) {
            int first = startsAt + 8 * block;
            ShortVector start0 = IntVector.broadcast(INTS, starts[first]).reinterpretAsShorts();
            ShortVector sum0a = start0;
            ShortVector sum0b = start0;
            ShortVector start1 = IntVector.broadcast(INTS, starts[first + 1]).reinterpretAsShorts();
            ShortVector sum1a = start1;
            ShortVector sum1b = start1;
            ShortVector start2 = IntVector.broadcast(INTS, starts[first + 2]).reinterpretAsShorts();
            ShortVector sum2a = start2;
            ShortVector sum2b = start2;
            ShortVector start3 = IntVector.broadcast(INTS, starts[first + 3]).reinterpretAsShorts();
            ShortVector sum3a = start3;
            ShortVector sum3b = start3;
            ShortVector start4 = IntVector.broadcast(INTS, starts[first + 4]).reinterpretAsShorts();
            ShortVector sum4a = start4;
            ShortVector sum4b = start4;
            ShortVector start5 = IntVector.broadcast(INTS, starts[first + 5]).reinterpretAsShorts();
            ShortVector sum5a = start5;
            ShortVector sum5b = start5;
            ShortVector start6 = IntVector.broadcast(INTS, starts[first + 6]).reinterpretAsShorts();
            ShortVector sum6a = start6;
            ShortVector sum6b = start6;
            ShortVector start7 = IntVector.broadcast(INTS, starts[first + 7]).reinterpretAsShorts();
            ShortVector sum7a = start7;
            ShortVector sum7b = start7;
            for (int word = 1; word <= WORDS; word++) {
                long wordAt = blockAt + word * STEP_BYTES;
                ShortVector bitsa = ShortVector.fromMemorySegment(SHORTS, w, wordAt, LITTLE);
                ShortVector bitsb = ShortVector.fromMemorySegment(SHORTS, w, wordAt + panelBytes, LITTLE);
                for (int shift = 0; shift < HALF; shift += BITS) {
                    ShortVector valuea =
                            bitsa.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector valueb =
                            bitsb.lanewise(VectorOperators.LSHR, shift).and(field);
                    ShortVector x0 = IntVector.broadcast(INTS, x[in]).reinterpretAsShorts();
                    sum0a = valuea.mul(x0).add(sum0a);
                    sum0b = valueb.mul(x0).add(sum0b);
                    ShortVector x1 = IntVector.broadcast(INTS, x[in + 1]).reinterpretAsShorts();
                    sum1a = valuea.mul(x1).add(sum1a);
                    sum1b = valueb.mul(x1).add(sum1b);
                    ShortVector x2 = IntVector.broadcast(INTS, x[in + 2]).reinterpretAsShorts();
                    sum2a = valuea.mul(x2).add(sum2a);
                    sum2b = valueb.mul(x2).add(sum2b);
                    ShortVector x3 = IntVector.broadcast(INTS, x[in + 3]).reinterpretAsShorts();
                    sum3a = valuea.mul(x3).add(sum3a);
                    sum3b = valueb.mul(x3).add(sum3b);
                    ShortVector x4 = IntVector.broadcast(INTS, x[in + 4]).reinterpretAsShorts();
                    sum4a = valuea.mul(x4).add(sum4a);
                    sum4b = valueb.mul(x4).add(sum4b);
                    ShortVector x5 = IntVector.broadcast(INTS, x[in + 5]).reinterpretAsShorts();
                    sum5a = valuea.mul(x5).add(sum5a);
                    sum5b = valueb.mul(x5).add(sum5b);
                    ShortVector x6 = IntVector.broadcast(INTS, x[in + 6]).reinterpretAsShorts();
                    sum6a = valuea.mul(x6).add(sum6a);
                    sum6b = valueb.mul(x6).add(sum6b);
                    ShortVector x7 = IntVector.broadcast(INTS, x[in + 7]).reinterpretAsShorts();
                    sum7a = valuea.mul(x7).add(sum7a);
                    sum7b = valueb.mul(x7).add(sum7b);
                    in += 8;
                }
            }
            sum0a.intoArray(sums, 0);
            sum0b.intoArray(sums, HALVES);
            sum1a.intoArray(sums, 2 * HALVES);
            sum1b.intoArray(sums, 3 * HALVES);
            sum2a.intoArray(sums, 4 * HALVES);
            sum2b.intoArray(sums, 5 * HALVES);
            sum3a.intoArray(sums, 6 * HALVES);
            sum3b.intoArray(sums, 7 * HALVES);
            sum4a.intoArray(sums, 8 * HALVES);
            sum4b.intoArray(sums, 9 * HALVES);
            sum5a.intoArray(sums, 10 * HALVES);
            sum5b.intoArray(sums, 11 * HALVES);
            sum6a.intoArray(sums, 12 * HALVES);
            sum6b.intoArray(sums, 13 * HALVES);
            sum7a.intoArray(sums, 14 * HALVES);
            sum7b.intoArray(sums, 15 * HALVES);
            FloatVector scalea = FloatVector.fromMemorySegment(FLOATS, w, blockAt, LITTLE);
            FloatVector scaleb = FloatVector.fromMemorySegment(FLOATS, w, blockAt + panelBytes, LITTLE);
            int from = 0;
            int to = yAt;
            for (int row = 0; row < 8; row++) {
                FloatVector rowScale = FloatVector.broadcast(FLOATS, scales[first + row]);
                IntVector paira = ShortVector.fromArray(SHORTS, sums, from).reinterpretAsInts();
                FloatVector wholea = paira.and(lowHalf)
                        .or(rounding)
                        .add(paira.lanewise(VectorOperators.ASHR, HALF))
                        .reinterpretAsFloats()
                        .sub(zero);
                wholea.fma(scalea.mul(rowScale), FloatVector.fromArray(FLOATS, y, to))
                        .intoArray(y, to);
                IntVector pairb =
                        ShortVector.fromArray(SHORTS, sums, from + HALVES).reinterpretAsInts();
                FloatVector wholeb = pairb.and(lowHalf)
                        .or(rounding)
                        .add(pairb.lanewise(VectorOperators.ASHR, HALF))
                        .reinterpretAsFloats()
                        .sub(zero);
                wholeb.fma(scaleb.mul(rowScale), FloatVector.fromArray(FLOATS, y, to + WIDTH))
                        .intoArray(y, to + WIDTH);
                from += 2 * HALVES;
                to += yStride;
            }
            blockAt += BLOCK_STEPS * STEP_BYTES;
        }
    }
}
