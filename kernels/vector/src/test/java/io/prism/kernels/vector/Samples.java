package io.prism.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.prism.kernels.Kernels;
import io.prism.kernels.RotaryTable;
import java.util.Random;

/** Inputs and kernels for tests. */
final class Samples {
    private Samples() {}

    static Kernels vector(int threads) {
        return new VectorKernels(new WorkerTeam(threads));
    }

    /** Normally distributed elements. */
    static float[] normal(long seed, int length, double deviation) {
        Random random = new Random(seed);
        float[] x = new float[length];
        for (int i = 0; i < length; i++) {
            x[i] = (float) (deviation * random.nextGaussian());
        }
        return x;
    }

    /** Fails at the first element that is off by more than {@code tolerance}, or NaN. */
    static void assertClose(float[] actual, float[] expected, float tolerance) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            if (!(Math.abs(actual[i] - expected[i]) <= tolerance)) {
                fail("element %d is %s, expected %s within %s", i, actual[i], expected[i], tolerance);
            }
        }
    }

    /** The usual table with base 10000. */
    static RotaryTable rotary(int headSize, int positions) {
        int half = headSize / 2;
        float[] cosines = new float[positions * half];
        float[] sines = new float[positions * half];
        for (int position = 0; position < positions; position++) {
            for (int i = 0; i < half; i++) {
                double angle = position * Math.pow(10000, -(double) i / half);
                cosines[position * half + i] = (float) Math.cos(angle);
                sines[position * half + i] = (float) Math.sin(angle);
            }
        }
        return new RotaryTable(cosines, sines, headSize, positions);
    }
}
