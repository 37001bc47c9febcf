package io.prism.kernels.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Adds to the sums of four outputs and a number of rows the products of decoded weights, a lane for each lane.
 *
 * <p>The parameters of every tile: weights {@code w} of the outputs, {@code wStride} apart, {@code vectors} vectors of
 * them; activations {@code x} of the first row from {@code xOffset}, rows {@code xStride} apart; {@code sums} from
 * {@code sumsOffset}, a vector for each row and output, outputs in a row together.
 */
final class RowTiles {
    /** Outputs of a tile. */
    static final int OUTPUTS = 4;

    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = FLOATS.length();

    private RowTiles() {}

    /** Four outputs, 1 row. */
    static void tile4x1(float[] w, int wStride, int vectors, float[] x, int xOffset, float[] sums, int sumsOffset) {
        FloatVector sum00 = FloatVector.fromArray(FLOATS, sums, sumsOffset);
        FloatVector sum01 = FloatVector.fromArray(FLOATS, sums, sumsOffset + LANES);
        FloatVector sum02 = FloatVector.fromArray(FLOATS, sums, sumsOffset + 2 * LANES);
        FloatVector sum03 = FloatVector.fromArray(FLOATS, sums, sumsOffset + 3 * LANES);
        for (int vector = 0; vector < vectors; vector++) {
            int k = vector * LANES;
            FloatVector w0 = FloatVector.fromArray(FLOATS, w, k);
            FloatVector w1 = FloatVector.fromArray(FLOATS, w, k + wStride);
            FloatVector w2 = FloatVector.fromArray(FLOATS, w, k + 2 * wStride);
            FloatVector w3 = FloatVector.fromArray(FLOATS, w, k + 3 * wStride);
            FloatVector x0 = FloatVector.fromArray(FLOATS, x, xOffset + k);
            sum00 = w0.fma(x0, sum00);
            sum01 = w1.fma(x0, sum01);
            sum02 = w2.fma(x0, sum02);
            sum03 = w3.fma(x0, sum03);
        }
        sum00.intoArray(sums, sumsOffset);
        sum01.intoArray(sums, sumsOffset + LANES);
        sum02.intoArray(sums, sumsOffset + 2 * LANES);
        sum03.intoArray(sums, sumsOffset + 3 * LANES);
    }

    /** Four outputs, 2 rows. */
    static void tile4x2(
            float[] w, int wStride, int vectors, float[] x, int xOffset, int xStride, float[] sums, int sumsOffset) {
        FloatVector sum00 = FloatVector.fromArray(FLOATS, sums, sumsOffset);
        FloatVector sum01 = FloatVector.fromArray(FLOATS, sums, sumsOffset + LANES);
        FloatVector sum02 = FloatVector.fromArray(FLOATS, sums, sumsOffset + 2 * LANES);
        FloatVector sum03 = FloatVector.fromArray(FLOATS, sums, sumsOffset + 3 * LANES);
        FloatVector sum10 = FloatVector.fromArray(FLOATS, sums, sumsOffset + 4 * LANES);
        FloatVector sum11 = FloatVector.fromArray(FLOATS, sums, sumsOffset + 5 * LANES);
        FloatVector sum12 = FloatVector.fromArray(FLOATS, sums, sumsOffset + 6 * LANES);
        FloatVector sum13 = FloatVector.fromArray(FLOATS, sums, sumsOffset + 7 * LANES);
        for (int vector = 0; vector < vectors; vector++) {
            int k = vector * LANES;
            FloatVector w0 = FloatVector.fromArray(FLOATS, w, k);
            FloatVector w1 = FloatVector.fromArray(FLOATS, w, k + wStride);
            FloatVector w2 = FloatVector.fromArray(FLOATS, w, k + 2 * wStride);
            FloatVector w3 = FloatVector.fromArray(FLOATS, w, k + 3 * wStride);
            FloatVector x0 = FloatVector.fromArray(FLOATS, x, xOffset + k);
            sum00 = w0.fma(x0, sum00);
            sum01 = w1.fma(x0, sum01);
            sum02 = w2.fma(x0, sum02);
            sum03 = w3.fma(x0, sum03);
            FloatVector x1 = FloatVector.fromArray(FLOATS, x, xOffset + k + xStride);
            sum10 = w0.fma(x1, sum10);
            sum11 = w1.fma(x1, sum11);
            sum12 = w2.fma(x1, sum12);
            sum13 = w3.fma(x1, sum13);
        }
        sum00.intoArray(sums, sumsOffset);
        sum01.intoArray(sums, sumsOffset + LANES);
        sum02.intoArray(sums, sumsOffset + 2 * LANES);
        sum03.intoArray(sums, sumsOffset + 3 * LANES);
        sum10.intoArray(sums, sumsOffset + 4 * LANES);
        sum11.intoArray(sums, sumsOffset + 5 * LANES);
        sum12.intoArray(sums, sumsOffset + 6 * LANES);
        sum13.intoArray(sums, sumsOffset + 7 * LANES);
    }

    /** Four outputs, 4 rows. */
    static void tile4x4(
            float[] w, int wStride, int vectors, float[] x, int xOffset, int xStride, float[] sums, int sumsOffset) {
        FloatVector sum00 = FloatVector.fromArray(FLOATS, sums, sumsOffset);
        FloatVector sum01 = FloatVector.fromArray(FLOATS, sums, sumsOffset + LANES);
        FloatVector sum02 = FloatVector.fromArray(FLOATS, sums, sumsOffset + 2 * LANES);
        FloatVector sum03 = FloatVector.fromArray(FLOATS, sums, sumsOffset + 3 * LANES);
        FloatVector sum10 = FloatVector.fromArray(FLOATS, sums, sumsOffset + 4 * LANES);
        FloatVector sum11 = FloatVector.fromArray(FLOATS, sums, sumsOffset + 5 * LANES);
        FloatVector sum12 = FloatVector.fromArray(FLOATS, sums, sumsOffset + 6 * LANES);
        FloatVector sum13 = FloatVector.fromArray(FLOATS, sums, sumsOffset + 7 * LANES);
        FloatVector sum20 = FloatVector.fromArray(FLOATS, sums, sumsOffset + 8 * LANES);
        FloatVector sum21 = FloatVector.fromArray(FLOATS, sums, sumsOffset + 9 * LANES);
        FloatVector sum22 = FloatVector.fromArray(FLOATS, sums, sumsOffset + 10 * LANES);
        FloatVector sum23 = FloatVector.fromArray(FLOATS, sums, sumsOffset + 11 * LANES);
        FloatVector sum30 = FloatVector.fromArray(FLOATS, sums, sumsOffset + 12 * LANES);
        FloatVector sum31 = FloatVector.fromArray(FLOATS, sums, sumsOffset + 13 * LANES);
        FloatVector sum32 = FloatVector.fromArray(FLOATS, sums, sumsOffset + 14 * LANES);
        FloatVector sum33 = FloatVector.fromArray(FLOATS, sums, sumsOffset + 15 * LANES);
        for (int vector = 0; vector < vectors; vector++) {
            int k = vector * LANES;
            FloatVector w0 = FloatVector.fromArray(FLOATS, w, k);
            FloatVector w1 = FloatVector.fromArray(FLOATS, w, k + wStride);
            FloatVector w2 = FloatVector.fromArray(FLOATS, w, k + 2 * wStride);
            FloatVector w3 = FloatVector.fromArray(FLOATS, w, k + 3 * wStride);
            FloatVector x0 = FloatVector.fromArray(FLOATS, x, xOffset + k);
            sum00 = w0.fma(x0, sum00);
            sum01 = w1.fma(x0, sum01);
            sum02 = w2.fma(x0, sum02);
            sum03 = w3.fma(x0, sum03);
            FloatVector x1 = FloatVector.fromArray(FLOATS, x, xOffset + k + xStride);
            sum10 = w0.fma(x1, sum10);
            sum11 = w1.fma(x1, sum11);
            sum12 = w2.fma(x1, sum12);
            sum13 = w3.fma(x1, sum13);
            FloatVector x2 = FloatVector.fromArray(FLOATS, x, xOffset + k + 2 * xStride);
            sum20 = w0.fma(x2, sum20);
            sum21 = w1.fma(x2, sum21);
            sum22 = w2.fma(x2, sum22);
            sum23 = w3.fma(x2, sum23);
            FloatVector x3 = FloatVector.fromArray(FLOATS, x, xOffset + k + 3 * xStride);
            sum30 = w0.fma(x3, sum30);
            sum31 = w1.fma(x3, sum31);
            sum32 = w2.fma(x3, sum32);
            sum33 = w3.fma(x3, sum33);
        }
        sum00.intoArray(sums, sumsOffset);
        sum01.intoArray(sums, sumsOffset + LANES);
        sum02.intoArray(sums, sumsOffset + 2 * LANES);
        sum03.intoArray(sums, sumsOffset + 3 * LANES);
        sum10.intoArray(sums, sumsOffset + 4 * LANES);
        sum11.intoArray(sums, sumsOffset + 5 * LANES);
        sum12.intoArray(sums, sumsOffset + 6 * LANES);
        sum13.intoArray(sums, sumsOffset + 7 * LANES);
        sum20.intoArray(sums, sumsOffset + 8 * LANES);
        sum21.intoArray(sums, sumsOffset + 9 * LANES);
        sum22.intoArray(sums, sumsOffset + 10 * LANES);
        sum23.intoArray(sums, sumsOffset + 11 * LANES);
        sum30.intoArray(sums, sumsOffset + 12 * LANES);
        sum31.intoArray(sums, sumsOffset + 13 * LANES);
        sum32.intoArray(sums, sumsOffset + 14 * LANES);
        sum33.intoArray(sums, sumsOffset + 15 * LANES);
    }
}
