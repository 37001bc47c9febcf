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
 * Quantised panels for many rows: a section is decoded once, to the floats 1 + n / 2^bits that {@link Q4Tiles} and {@link
 * I8Tiles} decode anew for each tile, and all rows take them from the second-level cache. The sums are theirs bit for bit.
 */
final class DecodedTiles {
    /** Panels of a set, and rows of a tile. */
    static final int SIDE = 3;

    static final int ROWS = 8;

    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final long VECTOR_BYTES = FLOATS.vectorByteSize();
    private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
    private static final int ONE = 0x3F800000;
    private static final int MANTISSA_BITS = 23;

    private DecodedTiles() {}

    /**
     * Decodes blocks of a panel, one vector of outputs.
     *
     * @param w panels, the first block beginning at byte {@code at}
     * @param bits of a weight, 4 or 8
     * @param to receives {@code blocks x 32} vectors from {@code toAt}, {@value PanelLayout#WIDTH} floats apart
     */
    static void decode(MemorySegment w, long at, int blocks, int bits, float[] to, int toAt) {
        int fields = Integer.SIZE / bits;
        int words = Precision.BLOCK / fields;
        int field = (1 << bits) - 1 << MANTISSA_BITS - bits;
        int out = toAt;
        long blockAt = at;
        for (int block = 0; block < blocks; block++) {
            for (int word = 1; word <= words; word++) {
                IntVector packed = IntVector.fromMemorySegment(
                        INTS, w.asSlice(blockAt + word * STEP_BYTES, VECTOR_BYTES), 0, LITTLE);
                for (int i = 0; i < fields; i++) {
                    packed.and(field).or(ONE).reinterpretAsFloats().intoArray(to, out);
                    packed = packed.lanewise(VectorOperators.ROR, bits);
                    out += WIDTH;
                }
            }
            blockAt += (words + 1) * STEP_BYTES;
        }
    }

    /**
     * 3 panels, 8 rows; one vector of each panel.
     *
     * @param decoded weights, the first panel's from {@code decodedAt}, panels {@code panel} floats apart
     * @param w scales, those of the first panel's first block at byte {@code at}, blocks {@code blockBytes} and panels {@code
     *     panelBytes} apart
     * @param x activations from {@code xAt}, the rows interleaved
     * @param starts what each block's sums start from, from {@code startsAt}, likewise
     * @param y sums, from {@code yAt}, rows {@code yStride} apart
     */
    static void tile(
            float[] decoded,
            int decodedAt,
            int panel,
            MemorySegment w,
            long at,
            long blockBytes,
            long panelBytes,
            int blocks,
            float[] x,
            int xAt,
            float[] starts,
            int startsAt,
            float[] y,
            int yAt,
            int yStride) {
        int in = xAt;
        int valueAt = decodedAt;
        long blockAt = at;
        for (int block = 0; block < blocks; block++) {
            FloatVector start0 = FloatVector.broadcast(FLOATS, starts[startsAt + 8 * block]);
            FloatVector sum0a = start0;
            FloatVector sum0b = start0;
            FloatVector sum0c = start0;
            FloatVector start1 = FloatVector.broadcast(FLOATS, starts[startsAt + 8 * block + 1]);
            FloatVector sum1a = start1;
            FloatVector sum1b = start1;
            FloatVector sum1c = start1;
            FloatVector start2 = FloatVector.broadcast(FLOATS, starts[startsAt + 8 * block + 2]);
            FloatVector sum2a = start2;
            FloatVector sum2b = start2;
            FloatVector sum2c = start2;
            FloatVector start3 = FloatVector.broadcast(FLOATS, starts[startsAt + 8 * block + 3]);
            FloatVector sum3a = start3;
            FloatVector sum3b = start3;
            FloatVector sum3c = start3;
            FloatVector start4 = FloatVector.broadcast(FLOATS, starts[startsAt + 8 * block + 4]);
            FloatVector sum4a = start4;
            FloatVector sum4b = start4;
            FloatVector sum4c = start4;
            FloatVector start5 = FloatVector.broadcast(FLOATS, starts[startsAt + 8 * block + 5]);
            FloatVector sum5a = start5;
            FloatVector sum5b = start5;
            FloatVector sum5c = start5;
            FloatVector start6 = FloatVector.broadcast(FLOATS, starts[startsAt + 8 * block + 6]);
            FloatVector sum6a = start6;
            FloatVector sum6b = start6;
            FloatVector sum6c = start6;
            FloatVector start7 = FloatVector.broadcast(FLOATS, starts[startsAt + 8 * block + 7]);
            FloatVector sum7a = start7;
            FloatVector sum7b = start7;
            FloatVector sum7c = start7;
            for (int k = 0; k < Precision.BLOCK; k++) {
                FloatVector valuea = FloatVector.fromArray(FLOATS, decoded, valueAt);
                FloatVector valueb = FloatVector.fromArray(FLOATS, decoded, valueAt + panel);
                FloatVector valuec = FloatVector.fromArray(FLOATS, decoded, valueAt + 2 * panel);
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
                FloatVector x4 = FloatVector.broadcast(FLOATS, x[in + 4]);
                sum4a = valuea.fma(x4, sum4a);
                sum4b = valueb.fma(x4, sum4b);
                sum4c = valuec.fma(x4, sum4c);
                FloatVector x5 = FloatVector.broadcast(FLOATS, x[in + 5]);
                sum5a = valuea.fma(x5, sum5a);
                sum5b = valueb.fma(x5, sum5b);
                sum5c = valuec.fma(x5, sum5c);
                FloatVector x6 = FloatVector.broadcast(FLOATS, x[in + 6]);
                sum6a = valuea.fma(x6, sum6a);
                sum6b = valueb.fma(x6, sum6b);
                sum6c = valuec.fma(x6, sum6c);
                FloatVector x7 = FloatVector.broadcast(FLOATS, x[in + 7]);
                sum7a = valuea.fma(x7, sum7a);
                sum7b = valueb.fma(x7, sum7b);
                sum7c = valuec.fma(x7, sum7c);
                in += 8;
                valueAt += WIDTH;
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
            sum4a.fma(scalea, FloatVector.fromArray(FLOATS, y, yAt + 4 * yStride))
                    .intoArray(y, yAt + 4 * yStride);
            sum4b.fma(scaleb, FloatVector.fromArray(FLOATS, y, yAt + 4 * yStride + WIDTH))
                    .intoArray(y, yAt + 4 * yStride + WIDTH);
            sum4c.fma(scalec, FloatVector.fromArray(FLOATS, y, yAt + 4 * yStride + 2 * WIDTH))
                    .intoArray(y, yAt + 4 * yStride + 2 * WIDTH);
            sum5a.fma(scalea, FloatVector.fromArray(FLOATS, y, yAt + 5 * yStride))
                    .intoArray(y, yAt + 5 * yStride);
            sum5b.fma(scaleb, FloatVector.fromArray(FLOATS, y, yAt + 5 * yStride + WIDTH))
                    .intoArray(y, yAt + 5 * yStride + WIDTH);
            sum5c.fma(scalec, FloatVector.fromArray(FLOATS, y, yAt + 5 * yStride + 2 * WIDTH))
                    .intoArray(y, yAt + 5 * yStride + 2 * WIDTH);
            sum6a.fma(scalea, FloatVector.fromArray(FLOATS, y, yAt + 6 * yStride))
                    .intoArray(y, yAt + 6 * yStride);
            sum6b.fma(scaleb, FloatVector.fromArray(FLOATS, y, yAt + 6 * yStride + WIDTH))
                    .intoArray(y, yAt + 6 * yStride + WIDTH);
            sum6c.fma(scalec, FloatVector.fromArray(FLOATS, y, yAt + 6 * yStride + 2 * WIDTH))
                    .intoArray(y, yAt + 6 * yStride + 2 * WIDTH);
            sum7a.fma(scalea, FloatVector.fromArray(FLOATS, y, yAt + 7 * yStride))
                    .intoArray(y, yAt + 7 * yStride);
            sum7b.fma(scaleb, FloatVector.fromArray(FLOATS, y, yAt + 7 * yStride + WIDTH))
                    .intoArray(y, yAt + 7 * yStride + WIDTH);
            sum7c.fma(scalec, FloatVector.fromArray(FLOATS, y, yAt + 7 * yStride + 2 * WIDTH))
                    .intoArray(y, yAt + 7 * yStride + 2 * WIDTH);
            blockAt += blockBytes;
        }
    }
}
