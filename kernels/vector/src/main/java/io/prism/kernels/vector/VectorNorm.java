package io.prism.kernels.vector;

import static io.prism.kernels.vector.VectorMath.LANES;
import static io.prism.kernels.vector.VectorMath.SPECIES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Root mean square normalisation. */
final class VectorNorm {
    private VectorNorm() {}

    /** Normalises rows {@code fromRow} to {@code toRow - 1}; arguments as {@link io.prism.kernels.Kernels#rmsNorm}. */
    static void rmsNorm(
            float[] x,
            int xOffset,
            float[] weight,
            float epsilon,
            int fromRow,
            int toRow,
            int width,
            float[] y,
            int yOffset) {
        for (int row = fromRow; row < toRow; row++) {
            int from = xOffset + row * width;
            double mean = (double) sumOfSquares(x, from, width) / width;
            scale(x, from, weight, (float) (1 / Math.sqrt(mean + epsilon)), width, y, yOffset + row * width);
        }
    }

    private static float sumOfSquares(float[] x, int from, int width) {
        FloatVector sum0 = FloatVector.zero(SPECIES);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        int i = 0;
        for (; i <= width - 4 * LANES; i += 4 * LANES) {
            FloatVector x0 = FloatVector.fromArray(SPECIES, x, from + i);
            FloatVector x1 = FloatVector.fromArray(SPECIES, x, from + i + LANES);
            FloatVector x2 = FloatVector.fromArray(SPECIES, x, from + i + 2 * LANES);
            FloatVector x3 = FloatVector.fromArray(SPECIES, x, from + i + 3 * LANES);
            sum0 = x0.lanewise(VectorOperators.FMA, x0, sum0);
            sum1 = x1.lanewise(VectorOperators.FMA, x1, sum1);
            sum2 = x2.lanewise(VectorOperators.FMA, x2, sum2);
            sum3 = x3.lanewise(VectorOperators.FMA, x3, sum3);
        }
        for (; i < width; i += LANES) {
            FloatVector rest = FloatVector.fromArray(SPECIES, x, from + i, SPECIES.indexInRange(i, width));
            sum0 = rest.lanewise(VectorOperators.FMA, rest, sum0);
        }
        FloatVector sum = sum0.add(sum1).add(sum2.add(sum3));
        if (LANES >= 16) {
            sum = sum.add(sum.rearrange(VectorMath.FOLD_8));
        }
        if (LANES >= 8) {
            sum = sum.add(sum.rearrange(VectorMath.FOLD_4));
        }
        if (LANES >= 4) {
            sum = sum.add(sum.rearrange(VectorMath.FOLD_2));
        }
        return sum.add(sum.rearrange(VectorMath.FOLD_1)).lane(0);
    }

    private static void scale(float[] x, int from, float[] weight, float factor, int width, float[] y, int to) {
        for (int i = 0; i < width; i += LANES) {
            VectorMask<Float> mask = SPECIES.indexInRange(i, width);
            FloatVector.fromArray(SPECIES, x, from + i, mask)
                    .mul(factor)
                    .mul(FloatVector.fromArray(SPECIES, weight, i, mask))
                    .intoArray(y, to + i, mask);
        }
    }
}
