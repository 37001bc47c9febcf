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
 * Quantised panels for many rows: a section is decoded once, to the floats that {@link Q4Tiles} and {@link I8Tiles} decode anew
 * for each tile, and all rows take them from the second-level cache. The sums are theirs bit for bit.
 *
 * <p>Tiles are 3 panels by 4 rows, as that leaves registers for what blocks are added to: with 8 rows and these sums in
 * memory, a block cost a fifth more (measured on AMD Zen 4, 2026-11).
 */
final class DecodedTiles {
    /** Panels of a set, and rows of a tile. */
    static final int SIDE = 3;

    static final int ROWS = 4;

    /** The most inputs decoded at a time: 96 KiB of floats for the set, beside the activations of a tile. */
    static final int INPUTS = 512;

    /** Floats of a panel's decoded weights. */
    private static final int PANEL = INPUTS * WIDTH;

    /** Floats of the decoded weights of a set. */
    static final int DECODED = SIDE * PANEL;

    /** Floats of the sums of a row. */
    static final int OUTPUTS = SIDE * WIDTH;

    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final long VECTOR_BYTES = FLOATS.vectorByteSize();
    private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
    private static final int ONE = 0x3F800000;
    private static final int MANTISSA_BITS = 23;
    private static final float Q4_SHIFT = 1.5f;

    private DecodedTiles() {}

    /**
     * Decodes blocks of a panel, one vector of outputs.
     *
     * @param w panels, the first block beginning at byte {@code at}
     * @param blocks at most {@value #INPUTS} inputs
     * @param bits of a weight, 4 or 8
     * @param panel the panel's place in the set
     * @param lane the vector's first output
     * @param to receives weights, [panel][input][output]
     */
    static void decode(MemorySegment w, long at, int blocks, int bits, int panel, int lane, float[] to) {
        int fields = Integer.SIZE / bits;
        int words = Precision.BLOCK / fields;
        IntVector field = IntVector.broadcast(INTS, (1 << bits) - 1 << MANTISSA_BITS - bits);
        IntVector allOnes = IntVector.broadcast(INTS, -1);
        IntVector one = IntVector.broadcast(INTS, ONE);
        FloatVector shift = FloatVector.broadcast(FLOATS, bits == 4 ? Q4_SHIFT : 0);
        int out = panel * PANEL + lane;
        long blockAt = at;
        for (int block = 0; block < blocks; block++) {
            for (int word = 1; word <= words; word++) {
                IntVector packed = IntVector.fromMemorySegment(
                        INTS, w.asSlice(blockAt + word * STEP_BYTES, VECTOR_BYTES), 0, LITTLE);
                for (int i = 0; i < fields; i++) {
                    field.and(packed).or(one).reinterpretAsFloats().sub(shift).intoArray(to, out);
                    packed = allOnes.and(packed).lanewise(VectorOperators.ROR, bits);
                    out += WIDTH;
                }
            }
            blockAt += (words + 1) * STEP_BYTES;
        }
    }

    /**
     * Adds the products of a section to the sums of all rows, one vector of each panel.
     *
     * @param decoded the section's weights, as decoded
     * @param lane the vector's first output in its panel
     * @param w scales, those of the first panel's first block at byte {@code at}, blocks {@code blockBytes} and panels {@code
     *     panelBytes} apart
     * @param x activations from {@code xAt}, the rows of a tile interleaved, tiles {@code tileInputs} apart
     * @param starts what each block's sums start from, from {@code startsAt}, likewise, tiles {@code tileBlocks} apart
     * @param rows a multiple of {@value #ROWS}
     * @param sums [row][panel][output]
     */
    static void addSection(
            float[] decoded,
            int lane,
            MemorySegment w,
            long at,
            long blockBytes,
            long panelBytes,
            int blocks,
            float[] x,
            int xAt,
            int tileInputs,
            float[] starts,
            int startsAt,
            int tileBlocks,
            int rows,
            float[] sums) {
        int firstInput = xAt;
        int firstStart = startsAt;
        for (int row = 0; row < rows; row += ROWS) {
            int sumAt = row * OUTPUTS + lane;
            FloatVector total0a = FloatVector.fromArray(FLOATS, sums, sumAt);
            FloatVector total0b = FloatVector.fromArray(FLOATS, sums, sumAt + WIDTH);
            FloatVector total0c = FloatVector.fromArray(FLOATS, sums, sumAt + 2 * WIDTH);
            FloatVector total1a = FloatVector.fromArray(FLOATS, sums, sumAt + OUTPUTS);
            FloatVector total1b = FloatVector.fromArray(FLOATS, sums, sumAt + OUTPUTS + WIDTH);
            FloatVector total1c = FloatVector.fromArray(FLOATS, sums, sumAt + OUTPUTS + 2 * WIDTH);
            FloatVector total2a = FloatVector.fromArray(FLOATS, sums, sumAt + 2 * OUTPUTS);
            FloatVector total2b = FloatVector.fromArray(FLOATS, sums, sumAt + 2 * OUTPUTS + WIDTH);
            FloatVector total2c = FloatVector.fromArray(FLOATS, sums, sumAt + 2 * OUTPUTS + 2 * WIDTH);
            FloatVector total3a = FloatVector.fromArray(FLOATS, sums, sumAt + 3 * OUTPUTS);
            FloatVector total3b = FloatVector.fromArray(FLOATS, sums, sumAt + 3 * OUTPUTS + WIDTH);
            FloatVector total3c = FloatVector.fromArray(FLOATS, sums, sumAt + 3 * OUTPUTS + 2 * WIDTH);
            int in = firstInput;
            int start = firstStart;
            int valueAt = lane;
            long blockAt = at;
            for (int block = 0; block < blocks; block++) {
                FloatVector start0 = FloatVector.broadcast(FLOATS, starts[start]);
                FloatVector sum0a = start0;
                FloatVector sum0b = start0;
                FloatVector sum0c = start0;
                FloatVector start1 = FloatVector.broadcast(FLOATS, starts[start + 1]);
                FloatVector sum1a = start1;
                FloatVector sum1b = start1;
                FloatVector sum1c = start1;
                FloatVector start2 = FloatVector.broadcast(FLOATS, starts[start + 2]);
                FloatVector sum2a = start2;
                FloatVector sum2b = start2;
                FloatVector sum2c = start2;
                FloatVector start3 = FloatVector.broadcast(FLOATS, starts[start + 3]);
                FloatVector sum3a = start3;
                FloatVector sum3b = start3;
                FloatVector sum3c = start3;
                for (int k = 0; k < Precision.BLOCK; k++) {
                    FloatVector valuea = FloatVector.fromArray(FLOATS, decoded, valueAt);
                    FloatVector valueb = FloatVector.fromArray(FLOATS, decoded, valueAt + PANEL);
                    FloatVector valuec = FloatVector.fromArray(FLOATS, decoded, valueAt + 2 * PANEL);
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
                    in += ROWS;
                    valueAt += WIDTH;
                }
                FloatVector scalea = FloatVector.fromMemorySegment(FLOATS, w.asSlice(blockAt, VECTOR_BYTES), 0, LITTLE);
                FloatVector scaleb =
                        FloatVector.fromMemorySegment(FLOATS, w.asSlice(blockAt + panelBytes, VECTOR_BYTES), 0, LITTLE);
                FloatVector scalec = FloatVector.fromMemorySegment(
                        FLOATS, w.asSlice(blockAt + 2 * panelBytes, VECTOR_BYTES), 0, LITTLE);
                total0a = sum0a.fma(scalea, total0a);
                total0b = sum0b.fma(scaleb, total0b);
                total0c = sum0c.fma(scalec, total0c);
                total1a = sum1a.fma(scalea, total1a);
                total1b = sum1b.fma(scaleb, total1b);
                total1c = sum1c.fma(scalec, total1c);
                total2a = sum2a.fma(scalea, total2a);
                total2b = sum2b.fma(scaleb, total2b);
                total2c = sum2c.fma(scalec, total2c);
                total3a = sum3a.fma(scalea, total3a);
                total3b = sum3b.fma(scaleb, total3b);
                total3c = sum3c.fma(scalec, total3c);
                start += ROWS;
                blockAt += blockBytes;
            }
            total0a.intoArray(sums, sumAt);
            total0b.intoArray(sums, sumAt + WIDTH);
            total0c.intoArray(sums, sumAt + 2 * WIDTH);
            total1a.intoArray(sums, sumAt + OUTPUTS);
            total1b.intoArray(sums, sumAt + OUTPUTS + WIDTH);
            total1c.intoArray(sums, sumAt + OUTPUTS + 2 * WIDTH);
            total2a.intoArray(sums, sumAt + 2 * OUTPUTS);
            total2b.intoArray(sums, sumAt + 2 * OUTPUTS + WIDTH);
            total2c.intoArray(sums, sumAt + 2 * OUTPUTS + 2 * WIDTH);
            total3a.intoArray(sums, sumAt + 3 * OUTPUTS);
            total3b.intoArray(sums, sumAt + 3 * OUTPUTS + WIDTH);
            total3c.intoArray(sums, sumAt + 3 * OUTPUTS + 2 * WIDTH);
            firstInput += tileInputs;
            firstStart += tileBlocks;
        }
    }
}
