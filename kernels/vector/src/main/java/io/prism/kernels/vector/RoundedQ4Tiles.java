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
 * activations, so that fields are multiplied as they are. Block sums are exact; each is then added to y with one rounding.
 *
 * <p>Parameters of every tile: weights {@code w}, in which the first panel's steps begin at byte {@code at} and panels are
 * {@code panelBytes} apart; activations from {@code x[xAt]}, and for each block what its sums start from and its scale, from
 * {@code startsAt}, all with the tile's rows interleaved; sums in {@code y} from {@code yAt}, rows {@code yStride} apart. A tile
 * covers one vector of words of each panel.
 *
 * <p>Weights are loaded from the segment itself, as slices of it (see {@link Q4Tiles}) kept larger tiles from being
 * compiled well here: 8 rows took 3 times as long (measured on AMD Zen 4, 2026-11).
 */
final class RoundedQ4Tiles {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Short> SHORTS = ShortVector.SPECIES_PREFERRED;
    private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
    private static final int BITS = 4;
    private static final short FIELD = (1 << BITS) - 1;
    private static final int HALF = Short.SIZE;
    private static final int FIELDS = Short.SIZE / BITS;
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
            float[] y,
            int yAt,
            int yStride) {
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
                for (int i = 0; i < FIELDS; i++) {
                    ShortVector valuea = bitsa.and(FIELD);
                    bitsa = bitsa.lanewise(VectorOperators.LSHR, BITS);
                    ShortVector valueb = bitsb.and(FIELD);
                    bitsb = bitsb.lanewise(VectorOperators.LSHR, BITS);
                    ShortVector valuec = bitsc.and(FIELD);
                    bitsc = bitsc.lanewise(VectorOperators.LSHR, BITS);
                    ShortVector valued = bitsd.and(FIELD);
                    bitsd = bitsd.lanewise(VectorOperators.LSHR, BITS);
                    ShortVector valuee = bitse.and(FIELD);
                    bitse = bitse.lanewise(VectorOperators.LSHR, BITS);
                    ShortVector valuef = bitsf.and(FIELD);
                    bitsf = bitsf.lanewise(VectorOperators.LSHR, BITS);
                    ShortVector valueg = bitsg.and(FIELD);
                    bitsg = bitsg.lanewise(VectorOperators.LSHR, BITS);
                    ShortVector valueh = bitsh.and(FIELD);
                    bitsh = bitsh.lanewise(VectorOperators.LSHR, BITS);
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
            FloatVector scalea = FloatVector.fromMemorySegment(FLOATS, w, blockAt, LITTLE);
            FloatVector scaleb = FloatVector.fromMemorySegment(FLOATS, w, blockAt + panelBytes, LITTLE);
            FloatVector scalec = FloatVector.fromMemorySegment(FLOATS, w, blockAt + 2 * panelBytes, LITTLE);
            FloatVector scaled = FloatVector.fromMemorySegment(FLOATS, w, blockAt + 3 * panelBytes, LITTLE);
            FloatVector scalee = FloatVector.fromMemorySegment(FLOATS, w, blockAt + 4 * panelBytes, LITTLE);
            FloatVector scalef = FloatVector.fromMemorySegment(FLOATS, w, blockAt + 5 * panelBytes, LITTLE);
            FloatVector scaleg = FloatVector.fromMemorySegment(FLOATS, w, blockAt + 6 * panelBytes, LITTLE);
            FloatVector scaleh = FloatVector.fromMemorySegment(FLOATS, w, blockAt + 7 * panelBytes, LITTLE);
            FloatVector scale0 = FloatVector.broadcast(FLOATS, scales[first]);
            IntVector pair0a = sum0a.reinterpretAsInts();
            FloatVector whole0a = (FloatVector) pair0a.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair0a.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            whole0a.fma(scalea.mul(scale0), FloatVector.fromArray(FLOATS, y, yAt))
                    .intoArray(y, yAt);
            IntVector pair0b = sum0b.reinterpretAsInts();
            FloatVector whole0b = (FloatVector) pair0b.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair0b.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            whole0b.fma(scaleb.mul(scale0), FloatVector.fromArray(FLOATS, y, yAt + WIDTH))
                    .intoArray(y, yAt + WIDTH);
            IntVector pair0c = sum0c.reinterpretAsInts();
            FloatVector whole0c = (FloatVector) pair0c.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair0c.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            whole0c.fma(scalec.mul(scale0), FloatVector.fromArray(FLOATS, y, yAt + 2 * WIDTH))
                    .intoArray(y, yAt + 2 * WIDTH);
            IntVector pair0d = sum0d.reinterpretAsInts();
            FloatVector whole0d = (FloatVector) pair0d.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair0d.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            whole0d.fma(scaled.mul(scale0), FloatVector.fromArray(FLOATS, y, yAt + 3 * WIDTH))
                    .intoArray(y, yAt + 3 * WIDTH);
            IntVector pair0e = sum0e.reinterpretAsInts();
            FloatVector whole0e = (FloatVector) pair0e.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair0e.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            whole0e.fma(scalee.mul(scale0), FloatVector.fromArray(FLOATS, y, yAt + 4 * WIDTH))
                    .intoArray(y, yAt + 4 * WIDTH);
            IntVector pair0f = sum0f.reinterpretAsInts();
            FloatVector whole0f = (FloatVector) pair0f.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair0f.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            whole0f.fma(scalef.mul(scale0), FloatVector.fromArray(FLOATS, y, yAt + 5 * WIDTH))
                    .intoArray(y, yAt + 5 * WIDTH);
            IntVector pair0g = sum0g.reinterpretAsInts();
            FloatVector whole0g = (FloatVector) pair0g.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair0g.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            whole0g.fma(scaleg.mul(scale0), FloatVector.fromArray(FLOATS, y, yAt + 6 * WIDTH))
                    .intoArray(y, yAt + 6 * WIDTH);
            IntVector pair0h = sum0h.reinterpretAsInts();
            FloatVector whole0h = (FloatVector) pair0h.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair0h.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            whole0h.fma(scaleh.mul(scale0), FloatVector.fromArray(FLOATS, y, yAt + 7 * WIDTH))
                    .intoArray(y, yAt + 7 * WIDTH);
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
        FloatVector total0a = FloatVector.fromArray(FLOATS, y, yAt);
        FloatVector total0b = FloatVector.fromArray(FLOATS, y, yAt + WIDTH);
        FloatVector total0c = FloatVector.fromArray(FLOATS, y, yAt + 2 * WIDTH);
        FloatVector total0d = FloatVector.fromArray(FLOATS, y, yAt + 3 * WIDTH);
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
                for (int i = 0; i < FIELDS; i++) {
                    ShortVector valuea = bitsa.and(FIELD);
                    bitsa = bitsa.lanewise(VectorOperators.LSHR, BITS);
                    ShortVector valueb = bitsb.and(FIELD);
                    bitsb = bitsb.lanewise(VectorOperators.LSHR, BITS);
                    ShortVector valuec = bitsc.and(FIELD);
                    bitsc = bitsc.lanewise(VectorOperators.LSHR, BITS);
                    ShortVector valued = bitsd.and(FIELD);
                    bitsd = bitsd.lanewise(VectorOperators.LSHR, BITS);
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
            FloatVector scale0 = FloatVector.broadcast(FLOATS, scales[first]);
            IntVector pair0a = sum0a.reinterpretAsInts();
            FloatVector whole0a = (FloatVector) pair0a.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair0a.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total0a = whole0a.fma(scalea.mul(scale0), total0a);
            IntVector pair0b = sum0b.reinterpretAsInts();
            FloatVector whole0b = (FloatVector) pair0b.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair0b.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total0b = whole0b.fma(scaleb.mul(scale0), total0b);
            IntVector pair0c = sum0c.reinterpretAsInts();
            FloatVector whole0c = (FloatVector) pair0c.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair0c.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total0c = whole0c.fma(scalec.mul(scale0), total0c);
            IntVector pair0d = sum0d.reinterpretAsInts();
            FloatVector whole0d = (FloatVector) pair0d.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair0d.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total0d = whole0d.fma(scaled.mul(scale0), total0d);
            blockAt += BLOCK_STEPS * STEP_BYTES;
        }
        total0a.intoArray(y, yAt);
        total0b.intoArray(y, yAt + WIDTH);
        total0c.intoArray(y, yAt + 2 * WIDTH);
        total0d.intoArray(y, yAt + 3 * WIDTH);
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
            float[] y,
            int yAt,
            int yStride) {
        FloatVector total0a = FloatVector.fromArray(FLOATS, y, yAt);
        FloatVector total0b = FloatVector.fromArray(FLOATS, y, yAt + WIDTH);
        FloatVector total0c = FloatVector.fromArray(FLOATS, y, yAt + 2 * WIDTH);
        FloatVector total0d = FloatVector.fromArray(FLOATS, y, yAt + 3 * WIDTH);
        FloatVector total1a = FloatVector.fromArray(FLOATS, y, yAt + yStride);
        FloatVector total1b = FloatVector.fromArray(FLOATS, y, yAt + yStride + WIDTH);
        FloatVector total1c = FloatVector.fromArray(FLOATS, y, yAt + yStride + 2 * WIDTH);
        FloatVector total1d = FloatVector.fromArray(FLOATS, y, yAt + yStride + 3 * WIDTH);
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
                for (int i = 0; i < FIELDS; i++) {
                    ShortVector valuea = bitsa.and(FIELD);
                    bitsa = bitsa.lanewise(VectorOperators.LSHR, BITS);
                    ShortVector valueb = bitsb.and(FIELD);
                    bitsb = bitsb.lanewise(VectorOperators.LSHR, BITS);
                    ShortVector valuec = bitsc.and(FIELD);
                    bitsc = bitsc.lanewise(VectorOperators.LSHR, BITS);
                    ShortVector valued = bitsd.and(FIELD);
                    bitsd = bitsd.lanewise(VectorOperators.LSHR, BITS);
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
            FloatVector scalea = FloatVector.fromMemorySegment(FLOATS, w, blockAt, LITTLE);
            FloatVector scaleb = FloatVector.fromMemorySegment(FLOATS, w, blockAt + panelBytes, LITTLE);
            FloatVector scalec = FloatVector.fromMemorySegment(FLOATS, w, blockAt + 2 * panelBytes, LITTLE);
            FloatVector scaled = FloatVector.fromMemorySegment(FLOATS, w, blockAt + 3 * panelBytes, LITTLE);
            FloatVector scale0 = FloatVector.broadcast(FLOATS, scales[first]);
            IntVector pair0a = sum0a.reinterpretAsInts();
            FloatVector whole0a = (FloatVector) pair0a.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair0a.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total0a = whole0a.fma(scalea.mul(scale0), total0a);
            IntVector pair0b = sum0b.reinterpretAsInts();
            FloatVector whole0b = (FloatVector) pair0b.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair0b.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total0b = whole0b.fma(scaleb.mul(scale0), total0b);
            IntVector pair0c = sum0c.reinterpretAsInts();
            FloatVector whole0c = (FloatVector) pair0c.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair0c.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total0c = whole0c.fma(scalec.mul(scale0), total0c);
            IntVector pair0d = sum0d.reinterpretAsInts();
            FloatVector whole0d = (FloatVector) pair0d.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair0d.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total0d = whole0d.fma(scaled.mul(scale0), total0d);
            FloatVector scale1 = FloatVector.broadcast(FLOATS, scales[first + 1]);
            IntVector pair1a = sum1a.reinterpretAsInts();
            FloatVector whole1a = (FloatVector) pair1a.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair1a.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total1a = whole1a.fma(scalea.mul(scale1), total1a);
            IntVector pair1b = sum1b.reinterpretAsInts();
            FloatVector whole1b = (FloatVector) pair1b.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair1b.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total1b = whole1b.fma(scaleb.mul(scale1), total1b);
            IntVector pair1c = sum1c.reinterpretAsInts();
            FloatVector whole1c = (FloatVector) pair1c.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair1c.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total1c = whole1c.fma(scalec.mul(scale1), total1c);
            IntVector pair1d = sum1d.reinterpretAsInts();
            FloatVector whole1d = (FloatVector) pair1d.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair1d.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total1d = whole1d.fma(scaled.mul(scale1), total1d);
            blockAt += BLOCK_STEPS * STEP_BYTES;
        }
        total0a.intoArray(y, yAt);
        total0b.intoArray(y, yAt + WIDTH);
        total0c.intoArray(y, yAt + 2 * WIDTH);
        total0d.intoArray(y, yAt + 3 * WIDTH);
        total1a.intoArray(y, yAt + yStride);
        total1b.intoArray(y, yAt + yStride + WIDTH);
        total1c.intoArray(y, yAt + yStride + 2 * WIDTH);
        total1d.intoArray(y, yAt + yStride + 3 * WIDTH);
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
        FloatVector total0a = FloatVector.fromArray(FLOATS, y, yAt);
        FloatVector total0b = FloatVector.fromArray(FLOATS, y, yAt + WIDTH);
        FloatVector total1a = FloatVector.fromArray(FLOATS, y, yAt + yStride);
        FloatVector total1b = FloatVector.fromArray(FLOATS, y, yAt + yStride + WIDTH);
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
                for (int i = 0; i < FIELDS; i++) {
                    ShortVector valuea = bitsa.and(FIELD);
                    bitsa = bitsa.lanewise(VectorOperators.LSHR, BITS);
                    ShortVector valueb = bitsb.and(FIELD);
                    bitsb = bitsb.lanewise(VectorOperators.LSHR, BITS);
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
            FloatVector scale0 = FloatVector.broadcast(FLOATS, scales[first]);
            IntVector pair0a = sum0a.reinterpretAsInts();
            FloatVector whole0a = (FloatVector) pair0a.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair0a.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total0a = whole0a.fma(scalea.mul(scale0), total0a);
            IntVector pair0b = sum0b.reinterpretAsInts();
            FloatVector whole0b = (FloatVector) pair0b.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair0b.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total0b = whole0b.fma(scaleb.mul(scale0), total0b);
            FloatVector scale1 = FloatVector.broadcast(FLOATS, scales[first + 1]);
            IntVector pair1a = sum1a.reinterpretAsInts();
            FloatVector whole1a = (FloatVector) pair1a.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair1a.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total1a = whole1a.fma(scalea.mul(scale1), total1a);
            IntVector pair1b = sum1b.reinterpretAsInts();
            FloatVector whole1b = (FloatVector) pair1b.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair1b.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total1b = whole1b.fma(scaleb.mul(scale1), total1b);
            blockAt += BLOCK_STEPS * STEP_BYTES;
        }
        total0a.intoArray(y, yAt);
        total0b.intoArray(y, yAt + WIDTH);
        total1a.intoArray(y, yAt + yStride);
        total1b.intoArray(y, yAt + yStride + WIDTH);
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
                for (int i = 0; i < FIELDS; i++) {
                    ShortVector valuea = bitsa.and(FIELD);
                    bitsa = bitsa.lanewise(VectorOperators.LSHR, BITS);
                    ShortVector valueb = bitsb.and(FIELD);
                    bitsb = bitsb.lanewise(VectorOperators.LSHR, BITS);
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
            FloatVector scalea = FloatVector.fromMemorySegment(FLOATS, w, blockAt, LITTLE);
            FloatVector scaleb = FloatVector.fromMemorySegment(FLOATS, w, blockAt + panelBytes, LITTLE);
            FloatVector scale0 = FloatVector.broadcast(FLOATS, scales[first]);
            IntVector pair0a = sum0a.reinterpretAsInts();
            FloatVector whole0a = (FloatVector) pair0a.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair0a.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total0a = whole0a.fma(scalea.mul(scale0), total0a);
            IntVector pair0b = sum0b.reinterpretAsInts();
            FloatVector whole0b = (FloatVector) pair0b.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair0b.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total0b = whole0b.fma(scaleb.mul(scale0), total0b);
            FloatVector scale1 = FloatVector.broadcast(FLOATS, scales[first + 1]);
            IntVector pair1a = sum1a.reinterpretAsInts();
            FloatVector whole1a = (FloatVector) pair1a.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair1a.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total1a = whole1a.fma(scalea.mul(scale1), total1a);
            IntVector pair1b = sum1b.reinterpretAsInts();
            FloatVector whole1b = (FloatVector) pair1b.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair1b.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total1b = whole1b.fma(scaleb.mul(scale1), total1b);
            FloatVector scale2 = FloatVector.broadcast(FLOATS, scales[first + 2]);
            IntVector pair2a = sum2a.reinterpretAsInts();
            FloatVector whole2a = (FloatVector) pair2a.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair2a.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total2a = whole2a.fma(scalea.mul(scale2), total2a);
            IntVector pair2b = sum2b.reinterpretAsInts();
            FloatVector whole2b = (FloatVector) pair2b.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair2b.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total2b = whole2b.fma(scaleb.mul(scale2), total2b);
            FloatVector scale3 = FloatVector.broadcast(FLOATS, scales[first + 3]);
            IntVector pair3a = sum3a.reinterpretAsInts();
            FloatVector whole3a = (FloatVector) pair3a.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair3a.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total3a = whole3a.fma(scalea.mul(scale3), total3a);
            IntVector pair3b = sum3b.reinterpretAsInts();
            FloatVector whole3b = (FloatVector) pair3b.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair3b.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total3b = whole3b.fma(scaleb.mul(scale3), total3b);
            blockAt += BLOCK_STEPS * STEP_BYTES;
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
            int[] x,
            int xAt,
            int[] starts,
            float[] scales,
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
        FloatVector total4a = FloatVector.fromArray(FLOATS, y, yAt + 4 * yStride);
        FloatVector total4b = FloatVector.fromArray(FLOATS, y, yAt + 4 * yStride + WIDTH);
        FloatVector total5a = FloatVector.fromArray(FLOATS, y, yAt + 5 * yStride);
        FloatVector total5b = FloatVector.fromArray(FLOATS, y, yAt + 5 * yStride + WIDTH);
        int in = xAt;
        long blockAt = at;
        for (int block = 0; block < blocks; block++) {
            int first = startsAt + 6 * block;
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
            for (int word = 1; word <= WORDS; word++) {
                long wordAt = blockAt + word * STEP_BYTES;
                ShortVector bitsa = ShortVector.fromMemorySegment(SHORTS, w, wordAt, LITTLE);
                ShortVector bitsb = ShortVector.fromMemorySegment(SHORTS, w, wordAt + panelBytes, LITTLE);
                for (int i = 0; i < FIELDS; i++) {
                    ShortVector valuea = bitsa.and(FIELD);
                    bitsa = bitsa.lanewise(VectorOperators.LSHR, BITS);
                    ShortVector valueb = bitsb.and(FIELD);
                    bitsb = bitsb.lanewise(VectorOperators.LSHR, BITS);
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
                    in += 6;
                }
            }
            FloatVector scalea = FloatVector.fromMemorySegment(FLOATS, w, blockAt, LITTLE);
            FloatVector scaleb = FloatVector.fromMemorySegment(FLOATS, w, blockAt + panelBytes, LITTLE);
            FloatVector scale0 = FloatVector.broadcast(FLOATS, scales[first]);
            IntVector pair0a = sum0a.reinterpretAsInts();
            FloatVector whole0a = (FloatVector) pair0a.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair0a.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total0a = whole0a.fma(scalea.mul(scale0), total0a);
            IntVector pair0b = sum0b.reinterpretAsInts();
            FloatVector whole0b = (FloatVector) pair0b.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair0b.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total0b = whole0b.fma(scaleb.mul(scale0), total0b);
            FloatVector scale1 = FloatVector.broadcast(FLOATS, scales[first + 1]);
            IntVector pair1a = sum1a.reinterpretAsInts();
            FloatVector whole1a = (FloatVector) pair1a.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair1a.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total1a = whole1a.fma(scalea.mul(scale1), total1a);
            IntVector pair1b = sum1b.reinterpretAsInts();
            FloatVector whole1b = (FloatVector) pair1b.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair1b.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total1b = whole1b.fma(scaleb.mul(scale1), total1b);
            FloatVector scale2 = FloatVector.broadcast(FLOATS, scales[first + 2]);
            IntVector pair2a = sum2a.reinterpretAsInts();
            FloatVector whole2a = (FloatVector) pair2a.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair2a.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total2a = whole2a.fma(scalea.mul(scale2), total2a);
            IntVector pair2b = sum2b.reinterpretAsInts();
            FloatVector whole2b = (FloatVector) pair2b.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair2b.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total2b = whole2b.fma(scaleb.mul(scale2), total2b);
            FloatVector scale3 = FloatVector.broadcast(FLOATS, scales[first + 3]);
            IntVector pair3a = sum3a.reinterpretAsInts();
            FloatVector whole3a = (FloatVector) pair3a.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair3a.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total3a = whole3a.fma(scalea.mul(scale3), total3a);
            IntVector pair3b = sum3b.reinterpretAsInts();
            FloatVector whole3b = (FloatVector) pair3b.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair3b.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total3b = whole3b.fma(scaleb.mul(scale3), total3b);
            FloatVector scale4 = FloatVector.broadcast(FLOATS, scales[first + 4]);
            IntVector pair4a = sum4a.reinterpretAsInts();
            FloatVector whole4a = (FloatVector) pair4a.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair4a.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total4a = whole4a.fma(scalea.mul(scale4), total4a);
            IntVector pair4b = sum4b.reinterpretAsInts();
            FloatVector whole4b = (FloatVector) pair4b.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair4b.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total4b = whole4b.fma(scaleb.mul(scale4), total4b);
            FloatVector scale5 = FloatVector.broadcast(FLOATS, scales[first + 5]);
            IntVector pair5a = sum5a.reinterpretAsInts();
            FloatVector whole5a = (FloatVector) pair5a.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair5a.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total5a = whole5a.fma(scalea.mul(scale5), total5a);
            IntVector pair5b = sum5b.reinterpretAsInts();
            FloatVector whole5b = (FloatVector) pair5b.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair5b.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            total5b = whole5b.fma(scaleb.mul(scale5), total5b);
            blockAt += BLOCK_STEPS * STEP_BYTES;
        }
        total0a.intoArray(y, yAt);
        total0b.intoArray(y, yAt + WIDTH);
        total1a.intoArray(y, yAt + yStride);
        total1b.intoArray(y, yAt + yStride + WIDTH);
        total2a.intoArray(y, yAt + 2 * yStride);
        total2b.intoArray(y, yAt + 2 * yStride + WIDTH);
        total3a.intoArray(y, yAt + 3 * yStride);
        total3b.intoArray(y, yAt + 3 * yStride + WIDTH);
        total4a.intoArray(y, yAt + 4 * yStride);
        total4b.intoArray(y, yAt + 4 * yStride + WIDTH);
        total5a.intoArray(y, yAt + 5 * yStride);
        total5b.intoArray(y, yAt + 5 * yStride + WIDTH);
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
            float[] y,
            int yAt,
            int yStride) {
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
                for (int i = 0; i < FIELDS; i++) {
                    ShortVector valuea = bitsa.and(FIELD);
                    bitsa = bitsa.lanewise(VectorOperators.LSHR, BITS);
                    ShortVector valueb = bitsb.and(FIELD);
                    bitsb = bitsb.lanewise(VectorOperators.LSHR, BITS);
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
            FloatVector scalea = FloatVector.fromMemorySegment(FLOATS, w, blockAt, LITTLE);
            FloatVector scaleb = FloatVector.fromMemorySegment(FLOATS, w, blockAt + panelBytes, LITTLE);
            FloatVector scale0 = FloatVector.broadcast(FLOATS, scales[first]);
            IntVector pair0a = sum0a.reinterpretAsInts();
            FloatVector whole0a = (FloatVector) pair0a.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair0a.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            whole0a.fma(scalea.mul(scale0), FloatVector.fromArray(FLOATS, y, yAt))
                    .intoArray(y, yAt);
            IntVector pair0b = sum0b.reinterpretAsInts();
            FloatVector whole0b = (FloatVector) pair0b.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair0b.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            whole0b.fma(scaleb.mul(scale0), FloatVector.fromArray(FLOATS, y, yAt + WIDTH))
                    .intoArray(y, yAt + WIDTH);
            FloatVector scale1 = FloatVector.broadcast(FLOATS, scales[first + 1]);
            IntVector pair1a = sum1a.reinterpretAsInts();
            FloatVector whole1a = (FloatVector) pair1a.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair1a.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            whole1a.fma(scalea.mul(scale1), FloatVector.fromArray(FLOATS, y, yAt + yStride))
                    .intoArray(y, yAt + yStride);
            IntVector pair1b = sum1b.reinterpretAsInts();
            FloatVector whole1b = (FloatVector) pair1b.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair1b.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            whole1b.fma(scaleb.mul(scale1), FloatVector.fromArray(FLOATS, y, yAt + yStride + WIDTH))
                    .intoArray(y, yAt + yStride + WIDTH);
            FloatVector scale2 = FloatVector.broadcast(FLOATS, scales[first + 2]);
            IntVector pair2a = sum2a.reinterpretAsInts();
            FloatVector whole2a = (FloatVector) pair2a.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair2a.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            whole2a.fma(scalea.mul(scale2), FloatVector.fromArray(FLOATS, y, yAt + 2 * yStride))
                    .intoArray(y, yAt + 2 * yStride);
            IntVector pair2b = sum2b.reinterpretAsInts();
            FloatVector whole2b = (FloatVector) pair2b.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair2b.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            whole2b.fma(scaleb.mul(scale2), FloatVector.fromArray(FLOATS, y, yAt + 2 * yStride + WIDTH))
                    .intoArray(y, yAt + 2 * yStride + WIDTH);
            FloatVector scale3 = FloatVector.broadcast(FLOATS, scales[first + 3]);
            IntVector pair3a = sum3a.reinterpretAsInts();
            FloatVector whole3a = (FloatVector) pair3a.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair3a.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            whole3a.fma(scalea.mul(scale3), FloatVector.fromArray(FLOATS, y, yAt + 3 * yStride))
                    .intoArray(y, yAt + 3 * yStride);
            IntVector pair3b = sum3b.reinterpretAsInts();
            FloatVector whole3b = (FloatVector) pair3b.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair3b.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            whole3b.fma(scaleb.mul(scale3), FloatVector.fromArray(FLOATS, y, yAt + 3 * yStride + WIDTH))
                    .intoArray(y, yAt + 3 * yStride + WIDTH);
            FloatVector scale4 = FloatVector.broadcast(FLOATS, scales[first + 4]);
            IntVector pair4a = sum4a.reinterpretAsInts();
            FloatVector whole4a = (FloatVector) pair4a.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair4a.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            whole4a.fma(scalea.mul(scale4), FloatVector.fromArray(FLOATS, y, yAt + 4 * yStride))
                    .intoArray(y, yAt + 4 * yStride);
            IntVector pair4b = sum4b.reinterpretAsInts();
            FloatVector whole4b = (FloatVector) pair4b.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair4b.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            whole4b.fma(scaleb.mul(scale4), FloatVector.fromArray(FLOATS, y, yAt + 4 * yStride + WIDTH))
                    .intoArray(y, yAt + 4 * yStride + WIDTH);
            FloatVector scale5 = FloatVector.broadcast(FLOATS, scales[first + 5]);
            IntVector pair5a = sum5a.reinterpretAsInts();
            FloatVector whole5a = (FloatVector) pair5a.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair5a.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            whole5a.fma(scalea.mul(scale5), FloatVector.fromArray(FLOATS, y, yAt + 5 * yStride))
                    .intoArray(y, yAt + 5 * yStride);
            IntVector pair5b = sum5b.reinterpretAsInts();
            FloatVector whole5b = (FloatVector) pair5b.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair5b.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            whole5b.fma(scaleb.mul(scale5), FloatVector.fromArray(FLOATS, y, yAt + 5 * yStride + WIDTH))
                    .intoArray(y, yAt + 5 * yStride + WIDTH);
            FloatVector scale6 = FloatVector.broadcast(FLOATS, scales[first + 6]);
            IntVector pair6a = sum6a.reinterpretAsInts();
            FloatVector whole6a = (FloatVector) pair6a.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair6a.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            whole6a.fma(scalea.mul(scale6), FloatVector.fromArray(FLOATS, y, yAt + 6 * yStride))
                    .intoArray(y, yAt + 6 * yStride);
            IntVector pair6b = sum6b.reinterpretAsInts();
            FloatVector whole6b = (FloatVector) pair6b.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair6b.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            whole6b.fma(scaleb.mul(scale6), FloatVector.fromArray(FLOATS, y, yAt + 6 * yStride + WIDTH))
                    .intoArray(y, yAt + 6 * yStride + WIDTH);
            FloatVector scale7 = FloatVector.broadcast(FLOATS, scales[first + 7]);
            IntVector pair7a = sum7a.reinterpretAsInts();
            FloatVector whole7a = (FloatVector) pair7a.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair7a.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            whole7a.fma(scalea.mul(scale7), FloatVector.fromArray(FLOATS, y, yAt + 7 * yStride))
                    .intoArray(y, yAt + 7 * yStride);
            IntVector pair7b = sum7b.reinterpretAsInts();
            FloatVector whole7b = (FloatVector) pair7b.lanewise(VectorOperators.LSHL, HALF)
                    .lanewise(VectorOperators.ASHR, HALF)
                    .add(pair7b.lanewise(VectorOperators.ASHR, HALF))
                    .convert(VectorOperators.I2F, 0);
            whole7b.fma(scaleb.mul(scale7), FloatVector.fromArray(FLOATS, y, yAt + 7 * yStride + WIDTH))
                    .intoArray(y, yAt + 7 * yStride + WIDTH);
            blockAt += BLOCK_STEPS * STEP_BYTES;
        }
    }
}
