package io.prism.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.prism.kernels.Kernels;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VectorLogitsTest {
    private static final float NAN = Float.NaN;
    private static final float LOWEST = Float.NEGATIVE_INFINITY;
    private static final float[] TEMPERATURES = {0.1f, 0.7f, 1, 3};
    private static final int VOCABULARY = 128256;

    private static final Kernels REFERENCE = new ScalarKernels();
    private static final Kernels VECTOR = Samples.vector(1);

    @AfterAll
    static void close() {
        VECTOR.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 6, 8, 13, 64, 100, 257, 4098, VOCABULARY})
    void softmaxAndLogSumExpAgreeWithTheReference(int length) {
        float[] x = Samples.normal(length, 3 + length, 8);
        for (float temperature : TEMPERATURES) {
            float[] expected = new float[2 + length];
            float[] actual = new float[2 + length];
            REFERENCE.softmax(x, 3, length, temperature, expected, 2);
            VECTOR.softmax(x, 3, length, temperature, actual, 2);
            // exponents up to 700 in size carry an absolute error of 2^-24 of themselves; probabilities are at most 1
            Samples.assertClose(actual, expected, 2e-5f);
            float sum = REFERENCE.logSumExp(x, 3, length, temperature);
            assertThat(VECTOR.logSumExp(x, 3, length, temperature))
                    .isCloseTo(sum, within(1e-5f + Math.abs(sum) * 1e-6f));
        }
    }

    @Test
    void hugeAndInfiniteLogitsNeitherOverflowNorGiveNaN() {
        float[] x = {3e38f, LOWEST, 3e38f, -3e38f, 0};
        float[] y = new float[5];
        VECTOR.softmax(x, 0, 5, 1, y, 0);
        assertThat(y).containsExactly(0.5f, 0, 0.5f, 0, 0);
        assertThat(VECTOR.logSumExp(new float[] {1000, 1000, LOWEST}, 0, 3, 1))
                .isCloseTo((float) (1000 + Math.log(2)), within(1e-4f));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 6, 8, 13, 64, 100, 257, 4098})
    void argmaxIsTheFirstOfEqualsWhereverItLies(int length) {
        for (int at = 0; at < length; at += 1 + length / 50) {
            float[] x = Samples.normal(at, 1 + length, 1);
            Arrays.fill(x, 1 + at, 1 + length, 9);
            x[0] = 99;
            assertThat(VECTOR.argmax(x, 1, length)).isEqualTo(at).isEqualTo(REFERENCE.argmax(x, 1, length));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 16, 100})
    void argmaxNeverChoosesNaNUnlessThereIsNothingElse(int length) {
        float[] x = new float[length];
        Arrays.fill(x, NAN);
        assertThat(VECTOR.argmax(x, 0, length)).isEqualTo(-1).isEqualTo(REFERENCE.argmax(x, 0, length));
        for (float value : new float[] {LOWEST, -3, 0, Float.POSITIVE_INFINITY}) {
            x[length / 2] = value;
            assertThat(VECTOR.argmax(x, 0, length)).isEqualTo(length / 2).isEqualTo(REFERENCE.argmax(x, 0, length));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 6, 8, 13, 64, 100, 257, 4098, VOCABULARY})
    void topKAgreesWithTheReferenceOnValuesWithManyTiesAndNaN(int length) {
        Random random = new Random(length);
        float[] x = new float[2 + length];
        for (int i = 0; i < x.length; i++) {
            int value = random.nextInt(5 + length / 3);
            x[i] = value == 0 ? NAN : value == 1 ? LOWEST : value;
        }
        assertTopK(x, length);
    }

    @Test
    void topKAgreesWithTheReferenceOnRisingAndFallingValues() {
        float[] x = new float[1002];
        for (int i = 0; i < x.length; i++) {
            x[i] = i;
        }
        assertTopK(x, 1000);
        for (int i = 0; i < x.length; i++) {
            x[i] = -i;
        }
        assertTopK(x, 1000);
    }

    private static void assertTopK(float[] x, int length) {
        for (int k : new int[] {0, 1, 2, 8, 10, 64, 200}) {
            if (k <= length) {
                int[] expected = new int[k];
                int[] actual = new int[k];
                float[] expectedValues = new float[k];
                float[] actualValues = new float[k];
                REFERENCE.topK(x, 2, length, k, expected, expectedValues);
                VECTOR.topK(x, 2, length, k, actual, actualValues);
                assertThat(actual).isEqualTo(expected);
                assertThat(actualValues).isEqualTo(expectedValues);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 6, 8, 13, 64, 100, 257, 4098})
    void drawsAgreeWithTheReference(int length) {
        float[] x = Samples.normal(length, 3 + length, 4);
        for (float temperature : new float[] {0, 1e-6f, 0.3f, 1, 2.5f}) {
            for (int key = 0; key < 200; key++) {
                assertThat(draw(VECTOR, x, 3, length, temperature, key))
                        .isEqualTo(draw(REFERENCE, x, 3, length, temperature, key));
            }
        }
    }

    @Test
    void equalElementsWithoutNoiseGiveTheFirst() {
        float[] x = new float[100];
        Arrays.fill(x, 40, 90, 3);
        assertThat(draw(VECTOR, x, 0, 100, 0, 5)).isEqualTo(40);
        assertThat(draw(VECTOR, x, 45, 55, 0, 5)).isZero();
    }

    @Test
    void whatHasNoMassIsNeverDrawn() {
        float[] x = new float[50];
        Arrays.fill(x, Float.NEGATIVE_INFINITY);
        assertThat(draw(VECTOR, x, 0, 50, 1, 1)).isEqualTo(-1);
        x[17] = -1000;
        for (int key = 0; key < 100; key++) {
            assertThat(draw(VECTOR, x, 0, 50, 1, key)).isEqualTo(17);
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
    void aDamagedElementGivesNoDraw(float damage) {
        for (int at : new int[] {0, 15, 16, 50, 98}) {
            float[] x = Samples.normal(1, 100, 1);
            x[99] = Float.NaN;
            assertThat(draw(VECTOR, x, 0, 99, 1, 1)).isNotNegative();
            x[at] = damage;
            assertThat(draw(VECTOR, x, 0, 99, 1, 1)).isEqualTo(-1).isEqualTo(draw(REFERENCE, x, 0, 99, 1, 1));
        }
    }

    private static int draw(Kernels kernels, float[] x, int offset, int length, float temperature, long key) {
        float[] noise = new float[length];
        REFERENCE.gumbelNoise(key, null, length, temperature, noise, 0);
        return kernels.draw(x, offset, length, noise);
    }

    @Test
    void moreThanThereIsCannotBeAskedFor() {
        assertThatThrownBy(() -> VECTOR.topK(new float[4], 0, 4, 5, new int[5], new float[5]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Top 5 of 4 elements");
    }

    @AllocationCheck
    @Test
    void nothingIsAllocatedOnceWarm() {
        int length = 4099;
        float[] x = Samples.normal(1, length, 5);
        float[] y = new float[length];
        int[] indices = new int[16];
        AllocationProbe.assertSettlesAtZero("argmax", () -> VECTOR.argmax(x, 0, length));
        AllocationProbe.assertSettlesAtZero("logSumExp", () -> VECTOR.logSumExp(x, 0, length, 0.7f));
        AllocationProbe.assertSettlesAtZero("softmax", () -> VECTOR.softmax(x, 0, length, 0.7f, y, 0));
        AllocationProbe.assertSettlesAtZero("draw", () -> VECTOR.draw(x, 0, length, y));
        AllocationProbe.assertSettlesAtZero("topK", () -> VECTOR.topK(x, 0, length, 16, indices, y));
    }
}
