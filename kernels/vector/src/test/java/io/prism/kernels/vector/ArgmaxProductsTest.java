package io.prism.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.prism.kernels.ArgmaxMatrix;
import io.prism.kernels.Kernels;
import io.prism.kernels.Matrix;
import io.prism.kernels.PackedMatrix;
import io.prism.kernels.Packing;
import io.prism.kernels.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ArgmaxProductsTest {
    private static final int INPUTS = 288;

    private static WorkerTeam team;
    private static MatrixProducts products;
    private static ArgmaxProducts argmax;

    @BeforeAll
    static void open() {
        MixedProfiles.begin();
        team = new WorkerTeam(3);
        products = new MatrixProducts(team);
        argmax = new ArgmaxProducts(team, products, 0);
    }

    @AfterAll
    static void close() {
        team.close();
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void findsTheArgmaxOfTheProductAtOddSizes(Precision precision) {
        for (int outputs : new int[] {1, 7, 64, 65, 1030, 20_003}) {
            try (Arena arena = Arena.ofShared()) {
                Matrix w = RandomMatrix.of(precision, outputs, INPUTS, outputs, arena);
                for (int rows = 1; rows <= 4; rows++) {
                    assertFindsArgmax(w, RandomMatrix.activations(3 + rows * INPUTS, rows), 3, rows);
                }
            }
        }
    }

    /** Outputs closer together than I8 can tell: the estimates alone are wrong now and then. */
    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void findsTheArgmaxAmongNearlyEqualOutputs(Precision precision) {
        int outputs = 3000;
        int misled = 0;
        for (int seed = 0; seed < 40; seed++) {
            try (Arena arena = Arena.ofShared()) {
                Matrix w = RandomMatrix.of(precision, outputs, INPUTS, seed, arena);
                SplittableRandom random = new SplittableRandom(seed);
                float[] x = RandomMatrix.activations(INPUTS, seed);
                for (int k = 0; k < INPUTS; k++) {
                    float weight = 0.05f * x[k];
                    for (int near = 0; near < 60; near++) {
                        set(w, 17 + 49 * near, k, weight * (1 + 0.02f * (random.nextFloat() - 0.5f)));
                    }
                }
                misled += assertFindsArgmax(w, x, 0, 1) ? 0 : 1;
            }
        }
        assertThat(misled)
                .as("searches in which the largest estimate was not the largest output")
                .isPositive();
    }

    @Test
    void givesTheFirstOfEqualOutputs() {
        try (Arena arena = Arena.ofShared()) {
            Matrix w = RandomMatrix.of(Precision.BF16, 500, INPUTS, 1, arena);
            float[] x = RandomMatrix.activations(INPUTS, 1);
            for (int output : new int[] {402, 77, 301}) {
                for (int k = 0; k < INPUTS; k++) {
                    set(w, output, k, 0.06f * Math.signum(x[k]));
                }
            }
            assertThat(find(w, x, 0, 1)).containsExactly(77);
        }
    }

    /** The worst activations for an output are in the direction of its error. */
    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void marginsHoldForTheWorstActivations(Precision precision) {
        int outputs = 48;
        try (Arena arena = Arena.ofShared()) {
            Matrix w = RandomMatrix.of(precision, outputs, INPUTS, 11, arena);
            for (int k = 0; k < INPUTS; k++) {
                set(w, 3, k, k % 32 == 0 ? 1 : 0.0039f); // of which hardly anything is left beside the largest
                set(w, 4, k, 0);
                set(w, 5, k, 1e-30f * k);
            }
            try (PackedMatrix packed = products.pack(List.of(w), Packing.PANELS);
                    ScreenedMatrix screened =
                            (ScreenedMatrix) argmax.pack(packed, w).orElseThrow()) {
                float[] exactRow = new float[outputs];
                float[] copyRow = new float[outputs];
                for (int output = 0; output < outputs; output++) {
                    for (float size : new float[] {1e-6f, 1, 1e6f}) {
                        float[] x = error(w, screened, output, size);
                        double norm = norm(x);
                        products.multiply(packed, x, 0, 1, exactRow, 0);
                        products.multiply(screened.copy(), x, 0, 1, copyRow, 0);
                        for (int i = 0; i < outputs; i++) {
                            assertThat(Math.abs((double) exactRow[i] - copyRow[i]))
                                    .as("output %d, activations along the error of %d", i, output)
                                    .isLessThanOrEqualTo(screened.margins()[i] * norm);
                        }
                        double reached = Math.abs((double) exactRow[output] - copyRow[output]);
                        if (norm > 0 && output > 5) {
                            assertThat(reached).isGreaterThan(0.9 * screened.margins()[output] * norm);
                        }
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 1e30f})
    void passesOverNaNAndTellsNothingIfTheLargestIsInfinite(float value) {
        try (Arena arena = Arena.ofShared()) {
            Matrix w = RandomMatrix.of(Precision.F32, 500, INPUTS, 1, arena);
            float[] x = RandomMatrix.activations(INPUTS, 1);
            set(w, 123, 40, value);
            set(w, 200, 5, Float.NaN);
            float[] y = new float[500];
            int expected;
            try (PackedMatrix packed = products.pack(List.of(w), Packing.PANELS)) {
                products.multiply(packed, x, 0, 1, y, 0);
                expected = VectorLogits.argmax(y, 0, y.length);
            }
            int[] found = find(w, x, 0, 1);
            assertThat(found).isEqualTo(Float.isInfinite(y[expected]) ? null : new int[] {expected});
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, 1e30f})
    void tellsNothingOfActivationsThatHaveNoUsableNorm(float value) {
        try (Arena arena = Arena.ofShared()) {
            Matrix w = RandomMatrix.of(Precision.BF16, 500, INPUTS, 1, arena);
            float[] x = RandomMatrix.activations(2 * INPUTS, 1);
            x[INPUTS + 7] = value;
            assertThat(find(w, x, 0, 2)).isNull();
            Arrays.fill(x, 0);
            assertThat(find(w, x, 0, 1)).isNull();
        }
    }

    @Test
    void tellsNothingIfTooManyOutputsAreAlike() {
        try (Arena arena = Arena.ofShared()) {
            int outputs = 2 * ArgmaxSearch.MOST_CANDIDATES;
            Matrix w = Matrix.dense(
                    Precision.BF16, outputs, INPUTS, arena.allocate(Precision.BF16.valueBytes(outputs * INPUTS)));
            assertThat(find(w, RandomMatrix.activations(INPUTS, 1), 0, 1)).isNull();
        }
    }

    @Test
    void offersNoCopyWhereItWouldNotBeFaster() {
        try (Arena arena = Arena.ofShared();
                Kernels kernels = new VectorKernelProvider().open(1)) {
            Matrix small = RandomMatrix.of(Precision.BF16, 500, INPUTS, 1, arena);
            Matrix odd = RandomMatrix.of(Precision.BF16, 500, 33, 1, arena);
            Matrix quantised = RandomMatrix.of(Precision.Q4, 500, INPUTS, 1, arena);
            try (PackedMatrix packed = kernels.pack(List.of(small), Packing.PANELS);
                    PackedMatrix inPlace = kernels.pack(List.of(small), Packing.IN_PLACE);
                    PackedMatrix packedOdd = kernels.pack(List.of(odd), Packing.PANELS);
                    PackedMatrix packedQuantised = kernels.pack(List.of(quantised), Packing.PANELS)) {
                assertThat(kernels.packForArgmax(packed, small)).isEmpty();
                assertThat(argmax.pack(inPlace, small)).isEmpty();
                assertThat(argmax.pack(packedOdd, odd)).isEmpty();
                assertThat(argmax.pack(packedQuantised, quantised)).isEmpty();
                assertThatThrownBy(() -> kernels.packForArgmax(packed, odd))
                        .hasMessage("A packed BF16 matrix of 500 x 288 was not made of a BF16 matrix of 500 x 33");
            }
        }
    }

    @AllocationCheck
    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void allocatesNothingOnceWarm(Precision precision) {
        try (Arena arena = Arena.ofShared();
                WorkerTeam alone = new WorkerTeam(1)) {
            MatrixProducts own = new MatrixProducts(alone);
            ArgmaxProducts search = new ArgmaxProducts(alone, own, 0);
            Matrix w = RandomMatrix.of(precision, 1000, INPUTS, 5, arena);
            float[] x = RandomMatrix.activations(4 * INPUTS, 9);
            float[] noise = noise(4 * w.rows(), 0.5f);
            int[] found = new int[4];
            try (PackedMatrix packed = own.pack(List.of(w), Packing.PANELS);
                    ArgmaxMatrix screened = search.pack(packed, w).orElseThrow()) {
                for (int rows : new int[] {1, 2, 4}) {
                    AllocationProbe.assertSettlesAtZero(
                            precision + " " + rows + " rows", () -> search.find(screened, x, 0, rows, null, found));
                    AllocationProbe.assertSettlesAtZero(
                            precision + " " + rows + " rows and noise",
                            () -> search.find(screened, x, 0, rows, noise, found));
                }
            }
        }
    }

    /** Whether the largest estimate of the first row was the largest output too. */
    private static boolean assertFindsArgmax(Matrix w, float[] x, int xOffset, int rows) {
        int outputs = w.rows();
        float[] y = new float[rows * outputs];
        float[] estimates = new float[rows * outputs];
        int[] expected = new int[rows];
        int[] found = new int[rows];
        try (PackedMatrix packed = products.pack(List.of(w), Packing.PANELS);
                ScreenedMatrix screened =
                        (ScreenedMatrix) argmax.pack(packed, w).orElseThrow()) {
            products.multiply(packed, x, xOffset, rows, y, 0);
            products.multiply(screened.copy(), x, xOffset, rows, estimates, 0);
            for (int row = 0; row < rows; row++) {
                expected[row] = VectorLogits.argmax(y, row * outputs, outputs);
            }
            assertThat(argmax.find(screened, x, xOffset, rows, null, found)).isTrue();
            assertThat(found).as("%d outputs, %d rows", outputs, rows).isEqualTo(expected);
            for (float factor : new float[] {1e-4f, 0.05f, 1, 100}) {
                float[] added = noise(rows * outputs, factor);
                for (int row = 0; row < rows; row++) {
                    float[] sums = new float[outputs];
                    for (int i = 0; i < outputs; i++) {
                        sums[i] = y[row * outputs + i] + added[row * outputs + i];
                    }
                    expected[row] = VectorLogits.argmax(sums, 0, outputs);
                }
                assertThat(argmax.find(screened, x, xOffset, rows, added, found))
                        .isTrue();
                assertThat(found)
                        .as("%d outputs, %d rows, noise x %s", outputs, rows, factor)
                        .isEqualTo(expected);
            }
        }
        return VectorLogits.argmax(estimates, 0, outputs) == expected[0];
    }

    private static float[] noise(int length, float factor) {
        float[] noise = new float[length];
        VectorNoise.gumbel(length, null, length, factor, noise, 0);
        return noise;
    }

    /** The rows' largest outputs; null if they could not be told. */
    private static int[] find(Matrix w, float[] x, int xOffset, int rows) {
        int[] found = new int[rows];
        try (PackedMatrix packed = products.pack(List.of(w), Packing.PANELS);
                ArgmaxMatrix screened = argmax.pack(packed, w).orElseThrow()) {
            return argmax.find(screened, x, xOffset, rows, null, found) ? found : null;
        }
    }

    /** Weights of an output less those of the copy, by products with unit vectors, times a factor. */
    private static float[] error(Matrix w, ScreenedMatrix screened, int output, float factor) {
        float[] unit = new float[INPUTS];
        float[] y = new float[w.rows()];
        float[] error = new float[INPUTS];
        for (int k = 0; k < INPUTS; k++) {
            unit[k] = 1;
            products.multiply(screened.exact(), unit, 0, 1, y, 0);
            float exact = y[output];
            products.multiply(screened.copy(), unit, 0, 1, y, 0);
            error[k] = factor * (exact - y[output]);
            unit[k] = 0;
        }
        return error;
    }

    private static double norm(float[] x) {
        double squares = 0;
        for (float element : x) {
            squares += (double) element * element;
        }
        return Math.sqrt(squares);
    }

    private static void set(Matrix w, int row, int column, float value) {
        long element = (long) row * w.columns() + column;
        MemorySegment values = w.values();
        if (w.precision() == Precision.F32) {
            values.setAtIndex(ValueLayout.JAVA_FLOAT, element, value);
        } else {
            values.setAtIndex(ValueLayout.JAVA_SHORT, element, (short) (Float.floatToRawIntBits(value) >>> 16));
        }
    }
}
