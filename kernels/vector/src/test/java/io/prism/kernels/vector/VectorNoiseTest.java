package io.prism.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;

import io.prism.kernels.GumbelNoise;
import io.prism.kernels.Kernels;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VectorNoiseTest {
    private static final Kernels REFERENCE = new ScalarKernels();
    private static final Kernels VECTOR = Samples.vector(1);

    @AfterAll
    static void close() {
        VECTOR.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 6, 8, 13, 64, 100, 257, 4098, 1_000_000})
    void noiseAgreesWithItsDefinition(int length) {
        float[] y = new float[length + 1];
        for (long key : new long[] {0, -1, 12345, 0x0123456789ABCDEFL, Long.MIN_VALUE}) {
            y[length] = 7;
            VECTOR.gumbelNoise(key, null, length, 1, y, 0);
            for (int i = 0; i < length; i++) {
                double expected = GumbelNoise.of(key, i);
                // noise near 0 is the logarithm of a rounded number near 1
                if (Math.abs(y[i] - expected) > 3e-7 * Math.max(1, Math.abs(expected))) {
                    assertThat(y[i]).as("%d of key %d", i, key).isEqualTo((float) expected);
                }
            }
            assertThat(y[length]).isEqualTo(7);
        }
    }

    @Test
    void noiseOfATokenIsTheSameWhereverTheTokenStands() {
        int[] ids = new Random(3).ints(1000, 0, 128_256).toArray();
        float[] all = new float[128_256];
        float[] some = new float[ids.length];
        VECTOR.gumbelNoise(99, null, all.length, 1, all, 0);
        VECTOR.gumbelNoise(99, ids, ids.length, 1, some, 0);
        for (int i = 0; i < ids.length; i++) {
            assertThat(some[i]).isEqualTo(all[ids[i]]);
        }
        VECTOR.gumbelNoise(99, ids, 500, 0.3f, some, 7);
        for (int i = 0; i < 500; i++) {
            assertThat(some[7 + i]).isEqualTo(0.3f * all[ids[i]]);
        }
    }

    @AllocationCheck
    @Test
    void nothingIsAllocatedOnceWarm() {
        int length = 4099;
        float[] y = new float[length];
        int[] ids = new Random(1).ints(length, 0, 100_000).toArray();
        AllocationProbe.assertSettlesAtZero("gumbelNoise", () -> VECTOR.gumbelNoise(5, null, length, 0.7f, y, 0));
        AllocationProbe.assertSettlesAtZero("gumbelNoise of ids", () -> VECTOR.gumbelNoise(5, ids, length, 0.7f, y, 0));
    }
}
