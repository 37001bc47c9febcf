package io.prism.kernels.vector;

import io.prism.kernels.Precision;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Activations rounded to integers of -255 to 255, each block of 32 with a scale of its own, in the order in which {@link
 * RoundedQ4Tiles} takes them. A block's result depends on its activations alone.
 *
 * <p>Tiles are laid out one after the other, with their rows interleaved. A word of the activations holds two inputs of a row, 4
 * apart, as a word of the weights does: inputs 8 w + i and 8 w + 4 + i for words w and fields i of a block.
 *
 * <p>Not thread-safe as a whole; different tiles may be filled at the same time.
 */
final class RoundedActivations {
    /** The largest magnitude: with it, a sum of 16 products with -8 just fits 16 bits. */
    static final int MOST = 255;

    /** What sums of low halves have besides, so that they are not negative. */
    static final int LOW_OFFSET = 1 << Short.SIZE - 1;

    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final int LANES = FLOATS.length();
    private static final int FIELDS = 4;
    private static final int PAIRS = Precision.BLOCK / 2;
    private static final int Q4_OFFSET = 8;
    private static final int LOW_HALF = 0xFFFF;

    /** 1.5 x 2^23: added to a small float, its last bits are the float's nearest integer, ties to even. */
    static final float ROUNDING = 0x1.8p23f;

    static final int ROUNDING_BITS = Float.floatToRawIntBits(ROUNDING);

    private int[] pairs = new int[0];
    private int[] starts = new int[0];
    private float[] scales = new float[0];

    /** Makes room for {@code rows} rows, those of zeros that fill tiles included. */
    void reserve(int rows, int inputs) {
        int blocks = rows * (inputs / Precision.BLOCK);
        if (scales.length < blocks) {
            int most = Math.max(blocks, 2 * scales.length);
            pairs = new int[most * PAIRS];
            starts = new int[most];
            scales = new float[most];
        }
    }

    /** Rounded inputs, [tile][pair of inputs][row of the tile]. */
    int[] pairs() {
        return pairs;
    }

    /** What the sums of both halves start from, [tile][block][row of the tile]. */
    int[] starts() {
        return starts;
    }

    /** Scales, [tile][block][row of the tile]. */
    float[] scales() {
        return scales;
    }

    /**
     * Rounds a row.
     *
     * @param from the row's inputs, from {@code offset}
     * @param inputs a multiple of {@link Precision#BLOCK}
     * @param firstBlock blocks of all rows of the tiles before
     * @param tileRows rows of the tile
     * @param row the row's place in the tile
     * @param nearest room for a block
     */
    void round(float[] from, int offset, int inputs, int firstBlock, int tileRows, int row, int[] nearest) {
        for (int block = 0; block < inputs / Precision.BLOCK; block++) {
            int source = offset + block * Precision.BLOCK;
            int to = firstBlock + block * tileRows;
            float largest = largest(from, source);
            float factor = MOST / largest;
            scales[to + row] = largest / MOST;
            starts[to + row] =
                    round(from, source, factor <= Float.MAX_VALUE ? factor : 0, nearest, to * PAIRS + row, tileRows);
        }
    }

    /** Fills a row of a tile with zeros; parameters as for {@link #round}. */
    void zero(int inputs, int firstBlock, int tileRows, int row) {
        for (int block = 0; block < inputs / Precision.BLOCK; block++) {
            int to = firstBlock + block * tileRows;
            scales[to + row] = 0;
            starts[to + row] = LOW_OFFSET;
            for (int pair = 0; pair < PAIRS; pair++) {
                pairs[(to * PAIRS) + pair * tileRows + row] = 0;
            }
        }
    }

    /**
     * The largest magnitude of a block, NaN if there is one: as integers, in whose order the bits of magnitudes are too, with
     * NaN last. Reducing floats took more than all else here.
     */
    private static float largest(float[] from, int offset) {
        IntVector most = IntVector.zero(INTS);
        for (int k = 0; k < Precision.BLOCK; k += LANES) {
            most = most.max(
                    FloatVector.fromArray(FLOATS, from, offset + k).abs().reinterpretAsInts());
        }
        return Float.intBitsToFloat(most.reduceLanes(VectorOperators.MAX));
    }

    /** Writes a block's pairs and returns what its sums start from. */
    private int round(float[] from, int offset, float factor, int[] nearest, int to, int stride) {
        for (int k = 0; k < Precision.BLOCK; k += LANES) {
            FloatVector.fromArray(FLOATS, from, offset + k)
                    .mul(factor)
                    .add(ROUNDING)
                    .reinterpretAsInts()
                    .sub(ROUNDING_BITS)
                    .intoArray(nearest, k);
        }
        int lowSum = 0;
        int highSum = 0;
        int pair = to;
        for (int word = 0; word < Precision.BLOCK; word += 2 * FIELDS) {
            for (int i = word; i < word + FIELDS; i++) {
                int low = nearest[i];
                int high = nearest[i + FIELDS];
                lowSum += low;
                highSum += high;
                pairs[pair] = low & LOW_HALF | high << Short.SIZE;
                pair += stride;
            }
        }
        return LOW_OFFSET - Q4_OFFSET * lowSum & LOW_HALF | -Q4_OFFSET * highSum << Short.SIZE;
    }

    /** The nearest integer of a magnitude of at most 2^21; for NaN any. */
    static int nearest(float value) {
        return Float.floatToRawIntBits(value + ROUNDING) - ROUNDING_BITS;
    }
}
