package io.prism.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

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
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class MatrixProductsTest {
    /** Outputs: below, at and above a panel. */
    private static final int[] OUTPUTS = {1, 7, 64, 65, 130};

    /** Inputs: odd, even, within and across a section of the sums. */
    private static final int[] DENSE_INPUTS = {1, 2, 33, 257, 515};

    private static final int[] BLOCK_INPUTS = {32, 96, 288, 544};
    private static final int MOST_ROWS = 33;

    private static Kernels alone;
    private static Kernels team;
    private static Kernels reference;

    @BeforeAll
    static void open() {
        alone = new VectorKernelProvider().open(1);
        team = new VectorKernelProvider().open(3);
        reference = new ScalarKernelProvider().open(1);
    }

    @AfterAll
    static void close() {
        alone.close();
        team.close();
        reference.close();
    }

    static Stream<Arguments> forms() {
        return Arrays.stream(Precision.values())
                .flatMap(precision -> Arrays.stream(Packing.values()).map(packing -> Arguments.of(precision, packing)));
    }

    static Stream<Arguments> copies() {
        return forms().filter(form -> form.get()[1] != Packing.IN_PLACE);
    }

    @ParameterizedTest
    @MethodSource("forms")
    void agreesWithTheScalarReferenceAtOddSizes(Precision precision, Packing packing) {
        for (int outputs : OUTPUTS) {
            for (int inputs : precision.isQuantized() ? BLOCK_INPUTS : DENSE_INPUTS) {
                for (int rows : new int[] {1, 2, 3, 5, 8, 15}) {
                    try (Arena arena = Arena.ofShared()) {
                        Matrix w = RandomMatrix.of(precision, outputs, inputs, outputs + inputs, arena);
                        float[] x = RandomMatrix.activations(3 + rows * inputs, rows);
                        float[] expected = product(reference, List.of(w), packing, x, 3, rows);
                        float[] found = product(team, List.of(w), packing, x, 3, rows);
                        assertNear(found, expected, inputs, precision);
                    }
                }
            }
        }
    }

    /**
     * The error of a float sum grows at most with its length times half an ulp (6e-8) of the sum of magnitudes; weights
     * are below 0.05 (dense), 0.4 (I8) or 0.03 (Q4), activations below 1. The block forms count from 1.5 in units
     * of scale x 16 or x 256, magnitudes below 0.048 and 0.77.
     */
    private static void assertNear(float[] found, float[] expected, int inputs, Precision precision) {
        float magnitude = precision == Precision.I8 ? 1.2f : 0.08f;
        float tolerance = 6e-8f * inputs * magnitude * (float) Math.sqrt(inputs) + 1e-9f;
        assertThat(found).hasSameSizeAs(expected);
        for (int i = 0; i < found.length; i++) {
            assertThat(found[i]).as("element %d", i).isCloseTo(expected[i], within(tolerance));
        }
    }

    @ParameterizedTest
    @MethodSource("forms")
    void givesARowTheSameBitsAloneAndAmongOthersOnAnyNumberOfThreads(Precision precision, Packing packing) {
        int inputs = 544;
        int outputs = 8200;
        try (Arena arena = Arena.ofShared();
                PackedMatrix byOne =
                        alone.pack(List.of(RandomMatrix.of(precision, outputs, inputs, 5, arena)), packing);
                PackedMatrix byTeam =
                        team.pack(List.of(RandomMatrix.of(precision, outputs, inputs, 5, arena)), packing)) {
            float[] x = RandomMatrix.activations(MOST_ROWS * inputs, 9);
            float[] expected = new float[MOST_ROWS * outputs];
            for (int row = 0; row < MOST_ROWS; row++) {
                alone.multiply(byOne, x, row * inputs, 1, expected, row * outputs);
            }
            for (int rows = 1; rows <= MOST_ROWS; rows++) {
                float[] found = new float[rows * outputs];
                team.multiply(byTeam, x, 0, rows, found, 0);
                assertThat(found).as("%d rows", rows).isEqualTo(Arrays.copyOf(expected, rows * outputs));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("copies")
    void givesARowTheSameBitsWhereSumsRestBetweenSections(Precision precision, Packing packing) {
        int inputs = 13_152;
        int outputs = 50;
        try (Arena arena = Arena.ofShared();
                PackedMatrix packed =
                        alone.pack(List.of(RandomMatrix.of(precision, outputs, inputs, 7, arena)), packing)) {
            float[] x = RandomMatrix.activations(26 * inputs, 3);
            float[] expected = new float[26 * outputs];
            for (int row = 0; row < 26; row++) {
                alone.multiply(packed, x, row * inputs, 1, expected, row * outputs);
            }
            for (int rows : new int[] {8, 9, 17, 26}) {
                float[] found = new float[rows * outputs];
                alone.multiply(packed, x, 0, rows, found, 0);
                assertThat(found).as("%d rows", rows).isEqualTo(Arrays.copyOf(expected, rows * outputs));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("forms")
    void stacksMatricesInTheirOrder(Precision precision, Packing packing) {
        try (Arena arena = Arena.ofShared()) {
            int inputs = 96;
            List<Matrix> stacked = IntStream.of(5, 64, 30)
                    .mapToObj(outputs -> RandomMatrix.of(precision, outputs, inputs, outputs, arena))
                    .toList();
            float[] x = RandomMatrix.activations(2 * inputs, 1);
            float[] together = product(team, stacked, packing, x, 0, 2);
            float[] expected = new float[2 * 99];
            int first = 0;
            for (Matrix matrix : stacked) {
                float[] single = product(team, List.of(matrix), packing, x, 0, 2);
                for (int row = 0; row < 2; row++) {
                    System.arraycopy(single, row * matrix.rows(), expected, row * 99 + first, matrix.rows());
                }
                first += matrix.rows();
            }
            assertThat(together).isEqualTo(expected);
        }
    }

    @Test
    void roundsActivationsToTheNearestOf511Steps() {
        int inputs = 64;
        try (Arena arena = Arena.ofShared()) {
            Matrix w = RandomMatrix.of(Precision.Q4, 40, inputs, 3, arena);
            float[] x = RandomMatrix.activations(inputs, 4);
            float[] exact = product(reference, List.of(w), Packing.IN_PLACE, x, 0, 1);
            float[] rounded = product(team, List.of(w), Packing.ROUNDED_PANELS, x, 0, 1);
            // each of 64 terms is off by at most half a step of 1 / 255 times a weight below 0.03
            for (int i = 0; i < exact.length; i++) {
                assertThat(rounded[i])
                        .isCloseTo(exact[i], within(64 * 0.03f / 510))
                        .isNotEqualTo(exact[i]);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {1, -1})
    void holdsTheLargestSumsWhenItRounds(float activation) {
        int inputs = 64;
        try (Arena arena = Arena.ofShared()) {
            // fields of 0 are weights of -8
            MemorySegment values = arena.allocate(Precision.Q4.valueBytes(40 * inputs));
            MemorySegment scales = arena.allocate(Precision.Q4.scaleBytes(40 * inputs), Float.BYTES);
            for (int i = 0; i < 40 * inputs / Precision.BLOCK; i++) {
                scales.setAtIndex(ValueLayout.JAVA_FLOAT, i, 1);
            }
            float[] x = new float[3 * inputs];
            Arrays.fill(x, activation);
            float[] found = product(
                    team,
                    List.of(new Matrix(Precision.Q4, 40, inputs, values, scales)),
                    Packing.ROUNDED_PANELS,
                    x,
                    0,
                    3);
            for (float y : found) {
                assertThat(y).isCloseTo(-8 * inputs * activation, within(1e-3f));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {0, Float.MIN_VALUE, Float.MIN_NORMAL, 1e-30f, 1e30f})
    void takesActivationsOfAnySizeWhenItRounds(float size) {
        int inputs = 96;
        try (Arena arena = Arena.ofShared()) {
            Matrix w = RandomMatrix.of(Precision.Q4, 40, inputs, 3, arena);
            float[] x = RandomMatrix.activations(3 * inputs, 4);
            for (int k = inputs; k < 2 * inputs; k++) {
                x[k] *= size;
            }
            float[] expected = product(reference, List.of(w), Packing.ROUNDED_PANELS, x, 0, 3);
            float[] found = product(team, List.of(w), Packing.ROUNDED_PANELS, x, 0, 3);
            for (int i = 0; i < expected.length; i++) {
                float magnitude = i / 40 == 1 ? size : 1;
                assertThat(found[i]).isCloseTo(expected[i], within(1e-5f * magnitude + 1e-36f));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void passesOnThatAnActivationIsNotFiniteWhenItRounds(float broken) {
        int inputs = 64;
        try (Arena arena = Arena.ofShared()) {
            Matrix w = RandomMatrix.of(Precision.Q4, 40, inputs, 3, arena);
            float[] x = RandomMatrix.activations(2 * inputs, 4);
            x[inputs + 40] = broken;
            float[] found = product(team, List.of(w), Packing.ROUNDED_PANELS, x, 0, 2);
            for (int i = 0; i < found.length; i++) {
                assertThat(Float.isFinite(found[i])).as("element %d", i).isEqualTo(i < 40);
            }
        }
    }

    @Test
    void refusesToStackWhatDiffers() {
        try (Arena arena = Arena.ofShared()) {
            Matrix a = RandomMatrix.of(Precision.F32, 2, 32, 1, arena);
            Matrix b = RandomMatrix.of(Precision.F32, 2, 64, 1, arena);
            Matrix c = RandomMatrix.of(Precision.Q4, 2, 32, 1, arena);
            assertThatThrownBy(() -> team.pack(List.of(a, b), Packing.PANELS))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("F32 matrix of 64 columns");
            assertThatThrownBy(() -> team.pack(List.of(a, c), Packing.IN_PLACE))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("Q4");
            assertThatThrownBy(() -> team.pack(List.of(), Packing.PANELS)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    private static float[] product(
            Kernels kernels, List<Matrix> stacked, Packing packing, float[] x, int xOffset, int rows) {
        try (PackedMatrix w = kernels.pack(stacked, packing)) {
            float[] y = new float[rows * w.rows() + 2];
            y[0] = 17;
            y[y.length - 1] = 19;
            kernels.multiply(w, x, xOffset, rows, y, 1);
            assertThat(y[0]).as("element before the result").isEqualTo(17);
            assertThat(y[y.length - 1]).as("element after the result").isEqualTo(19);
            return Arrays.copyOfRange(y, 1, y.length - 1);
        }
    }
}
