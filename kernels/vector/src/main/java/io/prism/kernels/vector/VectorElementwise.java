package io.prism.kernels.vector;

import static io.prism.kernels.vector.VectorMath.LANES;
import static io.prism.kernels.vector.VectorMath.SPECIES;

import io.prism.kernels.Activation;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Operations that treat every element alike. Arguments as in {@link io.prism.kernels.Kernels}. */
final class VectorElementwise {
    private static final float TWICE_SQRT_2_OVER_PI = (float) (2 * Math.sqrt(2 / Math.PI));
    private static final float GELU_CUBIC = 0.044715f;

    private VectorElementwise() {}

    /** Rows {@code fromRow} to {@code toRow - 1} of the gate. */
    static void gate(Activation activation, float[] gateUp, int fromRow, int toRow, int width, float[] out) {
        for (int row = fromRow; row < toRow; row++) {
            int gate = row * 2 * width;
            int to = row * width;
            switch (activation) {
                case SILU -> VectorMath.expOfNegativeSize(gateUp, gate, width, out, to);
                case GELU_TANH -> {
                    geluArgument(gateUp, gate, width, out, to);
                    VectorMath.expOfNegativeSize(out, to, width, out, to);
                }
            }
            applyGate(gateUp, gate, width, out, to);
        }
    }

    /** 2u, for 0.5 (1 + tanh(u)) is sigmoid(2u), which loses no digits where tanh(u) nears -1. */
    private static void geluArgument(float[] gateUp, int gate, int width, float[] out, int to) {
        for (int i = 0; i < width; i += LANES) {
            VectorMask<Float> mask = SPECIES.indexInRange(i, width);
            FloatVector x = FloatVector.fromArray(SPECIES, gateUp, gate + i, mask);
            x.mul(x)
                    .mul(GELU_CUBIC)
                    .lanewise(VectorOperators.FMA, x, x)
                    .mul(TWICE_SQRT_2_OVER_PI)
                    .intoArray(out, to + i, mask);
        }
    }

    /** out = gate x sigmoid x up, where out holds e = exp(-|z|) and sigmoid(z) is 1 / (1 + e) or, for negative z, e / (1 + e). */
    private static void applyGate(float[] gateUp, int gate, int width, float[] out, int to) {
        for (int i = 0; i < width; i += LANES) {
            VectorMask<Float> mask = SPECIES.indexInRange(i, width);
            FloatVector x = FloatVector.fromArray(SPECIES, gateUp, gate + i, mask);
            FloatVector up = FloatVector.fromArray(SPECIES, gateUp, gate + width + i, mask);
            FloatVector e = FloatVector.fromArray(SPECIES, out, to + i, mask);
            e.blend(1f, x.compare(VectorOperators.GE, 0f))
                    .div(e.add(1f))
                    .mul(x)
                    .mul(up)
                    .intoArray(out, to + i, mask);
        }
    }

    static void addScaled(float[] x, int xOffset, float factor, float[] y, int yOffset, int length) {
        int i = 0;
        for (; i <= length - LANES; i += LANES) {
            FloatVector sum = FloatVector.fromArray(SPECIES, y, yOffset + i);
            FloatVector.fromArray(SPECIES, x, xOffset + i)
                    .lanewise(VectorOperators.FMA, FloatVector.broadcast(SPECIES, factor), sum)
                    .intoArray(y, yOffset + i);
        }
        for (; i < length; i++) {
            y[yOffset + i] = Math.fma(x[xOffset + i], factor, y[yOffset + i]);
        }
    }

    static void addBias(float[] bias, float[] y, int yOffset, int rows, int width, int stride) {
        for (int row = 0; row < rows; row++) {
            int to = yOffset + row * stride;
            int i = 0;
            for (; i <= width - LANES; i += LANES) {
                FloatVector.fromArray(SPECIES, y, to + i)
                        .add(FloatVector.fromArray(SPECIES, bias, i))
                        .intoArray(y, to + i);
            }
            for (; i < width; i++) {
                y[to + i] += bias[i];
            }
        }
    }
}
