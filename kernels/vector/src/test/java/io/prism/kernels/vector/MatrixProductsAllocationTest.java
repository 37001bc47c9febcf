package io.prism.kernels.vector;

import io.prism.kernels.Kernels;
import io.prism.kernels.PackedMatrix;
import io.prism.kernels.Packing;
import io.prism.kernels.Precision;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class MatrixProductsAllocationTest {
    private static Kernels kernels;

    @BeforeAll
    static void open() {
        kernels = new VectorKernelProvider().open(1);
    }

    @AfterAll
    static void close() {
        kernels.close();
    }

    static Stream<Arguments> forms() {
        return Arrays.stream(Precision.values())
                .flatMap(precision -> Arrays.stream(Packing.values()).map(packing -> Arguments.of(precision, packing)));
    }

    @AllocationCheck
    @ParameterizedTest
    @MethodSource("forms")
    void allocatesNothingOnceWarm(Precision precision, Packing packing) {
        int inputs = 288;
        int outputs = 200;
        int mostRows = 8;
        try (Arena arena = Arena.ofShared();
                PackedMatrix w =
                        kernels.pack(List.of(RandomMatrix.of(precision, outputs, inputs, 5, arena)), packing)) {
            float[] x = RandomMatrix.activations(mostRows * inputs, 9);
            float[] y = new float[mostRows * outputs];
            for (int rows : new int[] {1, 2, 4, 6, 8}) {
                AllocationProbe.assertSettlesAtZero(
                        precision + " " + packing + " " + rows + " rows", () -> kernels.multiply(w, x, 0, rows, y, 0));
            }
        }
    }
}
