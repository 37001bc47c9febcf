package io.prism.kernels.vector;

import static io.prism.kernels.vector.VectorMath.LANES;
import static io.prism.kernels.vector.VectorMath.SPECIES;

import io.prism.kernels.Activation;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Operations that treat every element alike. Arguments as in {@link io.prism.kernels.Kernels}. */
final class VectorElementwise {
    private static final float SQRT_2_OVER_PI = (float) Math.sqrt(2 / Math.PI);
    private static final float GELU_CUBIC = 0.044715f;

    private VectorElementwise() {}

    /** Rows {@code fromRow} to {@code toRow - 1} of the gate. */
    static void gate(Activation activation, float[] gateUp, int fromRow, int toRow, int width, float[] out) {
        for (int row = fromRow; row < toRow; row++) {
            int gate = row * 2 * width;
            switch (activation) {
                case SILU -> silu(gateUp, gate, width, out, row * width);
                case GELU_TANH -> geluTanh(gateUp, gate, width, out, row * width);
            }
        }
    }

    private static void silu(float[] gateUp, int gate, int width, float[] out, int to) {
        int i = 0;
        for (; i <= width - LANES; i += LANES) {
            FloatVector x = FloatVector.fromArray(SPECIES, gateUp, gate + i);
            FloatVector up = FloatVector.fromArray(SPECIES, gateUp, gate + width + i);
            x.mul(VectorMath.sigmoid(x)).mul(up).intoArray(out, to + i);
        }
        if (i < width) {
            VectorMask<Float> mask = VectorMath.lanesBelow(i, width);
            FloatVector x = FloatVector.fromArray(SPECIES, gateUp, gate + i, mask);
            FloatVector up = FloatVector.fromArray(SPECIES, gateUp, gate + width + i, mask);
            x.mul(VectorMath.sigmoid(x)).mul(up).intoArray(out, to + i, mask);
        }
    }

    private static void geluTanh(float[] gateUp, int gate, int width, float[] out, int to) {
        int i = 0;
        for (; i <= width - LANES; i += LANES) {
            FloatVector x = FloatVector.fromArray(SPECIES, gateUp, gate + i);
            FloatVector up = FloatVector.fromArray(SPECIES, gateUp, gate + width + i);
            gelu(x).mul(up).intoArray(out, to + i);
        }
        if (i < width) {
            VectorMask<Float> mask = VectorMath.lanesBelow(i, width);
            FloatVector x = FloatVector.fromArray(SPECIES, gateUp, gate + i, mask);
            FloatVector up = FloatVector.fromArray(SPECIES, gateUp, gate + width + i, mask);
            gelu(x).mul(up).intoArray(out, to + i, mask);
        }
    }

    /** 0.5 (1 + tanh(u)) is sigmoid(2u), which loses no digits where tanh(u) nears -1. */
    private static FloatVector gelu(FloatVector x) {
        FloatVector cubic = x.mul(x).mul(GELU_CUBIC).lanewise(VectorOperators.FMA, x, x);
        return x.mul(VectorMath.sigmoid(cubic.mul(2 * SQRT_2_OVER_PI)));
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

    static void softCap(float[] x, int offset, int length, float softCap) {
        int i = 0;
        for (; i <= length - LANES; i += LANES) {
            softCapped(FloatVector.fromArray(SPECIES, x, offset + i), softCap).intoArray(x, offset + i);
        }
        if (i < length) {
            VectorMask<Float> mask = VectorMath.lanesBelow(i, length);
            softCapped(FloatVector.fromArray(SPECIES, x, offset + i, mask), softCap)
                    .intoArray(x, offset + i, mask);
        }
    }

    static FloatVector softCapped(FloatVector x, float softCap) {
        return VectorMath.tanh(x.div(softCap)).mul(softCap);
    }
}
