package io.prism.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;

import io.prism.kernels.Activation;
import io.prism.kernels.AttentionLayout;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.Kernels;
import io.prism.kernels.KvCache;
import io.prism.kernels.RotaryTable;
import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class RowKernelsTest {
    private static final float EPSILON = 1e-5f;
    /** A few roundings of results of size 1 to 10; sums of squares add about 2^-24 x sqrt(width / lanes). */
    private static final float TOLERANCE = 5e-6f;

    private static final int[] ROWS = {1, 2, 3, 5, 8, 16, 33};

    private static final Kernels REFERENCE = new ScalarKernels();
    private static final Kernels VECTOR = Samples.vector(2);

    @AfterAll
    static void close() {
        VECTOR.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 6, 8, 13, 64, 100, 257, 4098})
    void rmsNormAgreesWithTheReferenceAtAnyOffset(int width) {
        for (int rows : ROWS) {
            float[] x = Samples.normal(width, 3 + rows * width, 2);
            float[] weight = Samples.normal(1, width, 1);
            float[] expected = new float[5 + rows * width];
            float[] actual = new float[5 + rows * width];
            REFERENCE.rmsNorm(x, 3, weight, EPSILON, rows, width, expected, 5);
            VECTOR.rmsNorm(x, 3, weight, EPSILON, rows, width, actual, 5);
            Samples.assertClose(actual, expected, TOLERANCE);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 13, 64, 257, 4098})
    void rmsNormGivesARowTheSameBitsAloneAndAmongOthers(int width) {
        int rows = 33;
        float[] x = Samples.normal(width, rows * width, 2);
        float[] weight = Samples.normal(1, width, 1);
        float[] together = new float[rows * width];
        VECTOR.rmsNorm(x, 0, weight, EPSILON, rows, width, together, 0);
        for (int row = 0; row < rows; row++) {
            float[] alone = new float[width];
            VECTOR.rmsNorm(x, row * width, weight, EPSILON, 1, width, alone, 0);
            assertThat(alone).isEqualTo(Arrays.copyOfRange(together, row * width, (row + 1) * width));
        }
    }

    @Test
    void rmsNormMayWriteOverItsInput() {
        float[] x = Samples.normal(1, 3 * 100, 2);
        float[] weight = Samples.normal(2, 100, 1);
        float[] expected = new float[300];
        VECTOR.rmsNorm(x, 0, weight, EPSILON, 3, 100, expected, 0);
        VECTOR.rmsNorm(x, 0, weight, EPSILON, 3, 100, x, 0);
        assertThat(x).isEqualTo(expected);
    }

    @ParameterizedTest
    @EnumSource(Activation.class)
    void theGateAgreesWithTheReferenceAndIsRowIndependent(Activation activation) {
        for (int width : new int[] {1, 4, 6, 8, 13, 64, 100, 257, 4098}) {
            for (int rows : ROWS) {
                float[] gateUp = Samples.normal(width, rows * 2 * width, 2);
                float[] expected = new float[rows * width];
                float[] actual = new float[rows * width];
                REFERENCE.gate(activation, gateUp, rows, width, expected);
                VECTOR.gate(activation, gateUp, rows, width, actual);
                Samples.assertClose(actual, expected, 2 * TOLERANCE);
                int last = rows - 1;
                float[] alone = new float[width];
                VECTOR.gate(
                        activation, Arrays.copyOfRange(gateUp, last * 2 * width, rows * 2 * width), 1, width, alone);
                assertThat(alone).isEqualTo(Arrays.copyOfRange(actual, last * width, rows * width));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Activation.class)
    void theGateSaturatesWithoutNaN(Activation activation) {
        float[] gateUp = {1e30f, -1e30f, 200, -200, 0, 1, 1, 1, 1, 1};
        float[] out = new float[5];
        VECTOR.gate(activation, gateUp, 1, 5, out);
        assertThat(out).containsExactly(1e30f, -0f, 200f, -0f, 0f);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 6, 13, 64, 257, 4098})
    void elementwiseSumsHaveTheBitsOfTheReference(int length) {
        float[] x = Samples.normal(1, 2 + length, 1);
        float[] expected = Samples.normal(2, 3 + 2 * length, 1);
        float[] actual = expected.clone();
        REFERENCE.addScaled(x, 2, 0.7f, expected, 3, length);
        VECTOR.addScaled(x, 2, 0.7f, actual, 3, length);
        assertThat(actual).isEqualTo(expected);
        float[] bias = Samples.normal(3, length, 1);
        REFERENCE.addBias(bias, expected, 1, 2, length, length + 1);
        VECTOR.addBias(bias, actual, 1, 2, length, length + 1);
        assertThat(actual).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 6, 13, 64, 257, 4098})
    void softCapAgreesWithTheReference(int length) {
        float[] expected = Samples.normal(length, 2 + length, 40);
        float[] actual = expected.clone();
        REFERENCE.softCap(expected, 2, length, 30);
        VECTOR.softCap(actual, 2, length, 30);
        // four ulp of 30
        Samples.assertClose(actual, expected, 8e-6f);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 6, 32, 48, 64, 100, 128})
    void rotaryAndStoringHaveTheBitsOfTheReferenceInSequencesAndTrees(int headSize) {
        AttentionShape shape = AttentionFixture.shape(4, 2, headSize, 0);
        RotaryTable table = Samples.rotary(headSize, 160);
        for (int rows : new int[] {1, 3, 33, 80}) {
            KvCache expected = new KvCache(1, 2, headSize, 160);
            KvCache actual = new KvCache(1, 2, headSize, 160);
            float[] qkv = Samples.normal(rows, rows * shape.qkvWidth(), 1);
            float[] other = qkv.clone();
            REFERENCE.rotateAndStore(layout(expected, rows), shape, table, 0, qkv);
            VECTOR.rotateAndStore(layout(actual, rows), shape, table, 0, other);
            for (int row = 0; row < rows; row++) {
                int from = row * shape.qkvWidth();
                assertThat(Arrays.copyOfRange(other, from, from + shape.queryWidth()))
                        .isEqualTo(Arrays.copyOfRange(qkv, from, from + shape.queryWidth()));
            }
            assertThat(actual.keyPages(0)).isDeepEqualTo(expected.keyPages(0));
            assertThat(actual.valuePages(0)).isDeepEqualTo(expected.valuePages(0));
        }
    }

    private static AttentionLayout layout(KvCache cache, int rows) {
        cache.ensure(60 + rows);
        AttentionLayout layout = new AttentionLayout();
        layout.addTree(cache, 60, AttentionFixture.parents(rows, rows), rows);
        return layout;
    }

    @AllocationCheck
    @ParameterizedTest
    @ValueSource(ints = {1, 33})
    void nothingIsAllocatedOnceWarm(int rows) {
        int width = 4098;
        float[] gateUp = Samples.normal(1, rows * 2 * width, 1);
        float[] out = new float[rows * width];
        float[] weight = Samples.normal(2, width, 1);
        AllocationProbe.assertSettlesAtZero(
                "rmsNorm", () -> VECTOR.rmsNorm(gateUp, 0, weight, EPSILON, rows, width, out, 0));
        for (Activation activation : Activation.values()) {
            AllocationProbe.assertSettlesAtZero(
                    activation.name(), () -> VECTOR.gate(activation, gateUp, rows, width, out));
        }
        AllocationProbe.assertSettlesAtZero("addScaled", () -> VECTOR.addScaled(gateUp, 0, 0.5f, out, 0, out.length));
        AllocationProbe.assertSettlesAtZero("addBias", () -> VECTOR.addBias(weight, out, 0, rows, width, width));
        AllocationProbe.assertSettlesAtZero("softCap", () -> VECTOR.softCap(out, 0, out.length, 30));
        AttentionShape shape = AttentionFixture.shape(32, 8, 64, 0);
        AttentionLayout layout = layout(new KvCache(1, 8, 64, 160), rows);
        RotaryTable table = Samples.rotary(64, 160);
        float[] qkv = Samples.normal(3, rows * shape.qkvWidth(), 1);
        AllocationProbe.assertSettlesAtZero(
                "rotateAndStore", () -> VECTOR.rotateAndStore(layout, shape, table, 0, qkv));
    }
}
