package io.prism.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.github.tjake.jlama.tensor.FloatBufferTensor;
import io.prism.kernels.Kernels;
import io.prism.kernels.Matrix;
import io.prism.kernels.PackedMatrix;
import io.prism.kernels.Packing;
import io.prism.kernels.Precision;
import java.lang.foreign.Arena;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every benchmark once, at a small size, against the scalar reference. */
class BenchmarksTest {
    private static final DecoderShape SMALL = new DecoderShape(128, 64, 256, 384, 1);

    @ParameterizedTest
    @EnumSource(Precision.class)
    void matrixPassComputesTheProducts(Precision precision) {
        for (Packing packing : Packing.values()) {
            MatrixPass benchmark = new MatrixPass();
            benchmark.precision = precision;
            benchmark.packing = packing;
            benchmark.rows = 3;
            benchmark.open(SMALL);
            try {
                float[] found = benchmark.pass();
                float[] expected = head(precision, packing, 4, 3, 256);
                // 128 terms below 0.4 x 1 summed in single precision: 128 x 0.4 x 6e-8 x a few
                for (int i = 0; i < expected.length; i++) {
                    assertThat(found[i]).isCloseTo(expected[i], within(2e-5f));
                }
            } finally {
                benchmark.close();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void headSearchFindsTheTokensOfTheLargestLogits(Precision precision) {
        HeadSearch benchmark = new HeadSearch();
        benchmark.precision = precision;
        benchmark.rows = 3;
        benchmark.open(SMALL.head());
        try {
            float[] logits = head(precision, Packing.PANELS, 1, 3, SMALL.width());
            int[] expected = new int[3];
            for (int row = 0; row < 3; row++) {
                expected[row] = VectorLogits.argmax(logits, row * SMALL.vocabulary(), SMALL.vocabulary());
            }
            assertThat(benchmark.byAllLogits().clone()).isEqualTo(expected);
            assertThat(benchmark.bySearch()).isEqualTo(expected);
        } finally {
            benchmark.close();
        }
    }

    @Test
    void stockJlamaPassComputesTheProducts() {
        StockJlamaPass benchmark = new StockJlamaPass();
        benchmark.rows = 1;
        benchmark.open(SMALL);
        FloatBufferTensor found = (FloatBufferTensor) benchmark.pass();
        float[] expected = head(Precision.Q4, Packing.IN_PLACE, 1, 1, SMALL.width());
        for (int i = 0; i < SMALL.vocabulary(); i++) {
            // activations in I8: each of 128 terms below 0.03 is off by at most 1/254, mostly cancelling
            assertThat(found.get(0, i)).isCloseTo(expected[i], within(4e-3f));
        }
    }

    @Test
    void machineLimitsReadAndComputeWhatTheyClaim() {
        MachineLimits benchmark = new MachineLimits();
        benchmark.bytes = 1 << 20;
        benchmark.rounds = 1 << 13;
        benchmark.open();
        try {
            int words = (int) (benchmark.bytes / Integer.BYTES);
            assertThat(benchmark.read()).isEqualTo(words * 0x01010101);
            // 16 sums s = 0.999 s + 0.001 that start from 0 to 15 and tend to 1: 16 + 104 x 0.999^8192, and rounding
            assertThat(benchmark.multiplyAdd()).isCloseTo(16.029f, within(0.005f));
        } finally {
            benchmark.close();
        }
    }

    private static float[] head(Precision precision, Packing packing, int seed, int rows, int activationWidth) {
        try (Arena arena = Arena.ofShared();
                Kernels reference = new ScalarKernelProvider().open(1)) {
            Matrix source = RandomMatrix.of(precision, SMALL.vocabulary(), SMALL.width(), seed, arena);
            float[] x = RandomMatrix.activations(rows * activationWidth, rows);
            float[] y = new float[rows * SMALL.vocabulary()];
            try (PackedMatrix w = reference.pack(List.of(source), packing)) {
                reference.multiply(w, x, 0, rows, y, 0);
            }
            return y;
        }
    }
}
