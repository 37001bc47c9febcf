package io.prism.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** The benchmarks of attention and of operations on rows once, against the scalar reference. */
class RowBenchmarksTest {
    /** Averages of values of size 1, and a few roundings of values of size 10. */
    private static final float TOLERANCE = 1e-5f;

    private static final List<Function<RowOperations, float[]>> OPERATIONS = List.of(
            RowOperations::rmsNorm,
            RowOperations::rotateAndStore,
            RowOperations::silu,
            RowOperations::geluTanh,
            RowOperations::addScaled,
            RowOperations::softmax,
            RowOperations::gumbelNoise);

    @Test
    void attentionPassAttends() {
        AttentionPass benchmark = new AttentionPass();
        benchmark.rows = 5;
        benchmark.context = 70;
        benchmark.layers = 2;
        benchmark.open(AttentionFixture.shape(4, 2, 32, 0));
        try {
            float[] expected = new float[5 * benchmark.shape.queryWidth()];
            new ScalarKernels().attention(benchmark.layout, benchmark.shape, 1, benchmark.qkv, expected);
            Samples.assertClose(benchmark.pass(), expected, TOLERANCE);
        } finally {
            benchmark.close();
        }
    }

    @Test
    void rowOperationsDoWhatTheyClaim() {
        RowOperations benchmark = new RowOperations();
        RowOperations reference = new RowOperations();
        benchmark.count = 3;
        reference.count = 3;
        benchmark.open();
        reference.open(new ScalarKernels());
        try {
            for (Function<RowOperations, float[]> operation : OPERATIONS) {
                float[] found = operation.apply(benchmark);
                float[] expected = operation.apply(reference);
                if (found.length == 3 * AttentionPass.LLAMA_1B.qkvWidth()) {
                    // whether the rotated keys are left behind is not specified
                    int queries = AttentionPass.LLAMA_1B.queryWidth();
                    found = Arrays.copyOf(found, queries);
                    expected = Arrays.copyOf(expected, queries);
                }
                Samples.assertClose(found, expected, TOLERANCE);
            }
            assertThat(benchmark.argmax()).isEqualTo(reference.argmax());
            assertThat(benchmark.gumbelNoiseAndDraw()).isEqualTo(reference.gumbelNoiseAndDraw());
            assertThat(benchmark.logSumExp()).isCloseTo(reference.logSumExp(), within(TOLERANCE));
            assertThat(benchmark.topK()).isEqualTo(reference.topK());
            assertThat(benchmark.values).isEqualTo(reference.values);
        } finally {
            benchmark.close();
            reference.close();
        }
    }
}
