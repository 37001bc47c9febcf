package io.prism.kernels.vector;

import static io.prism.kernels.vector.VectorMath.LANES;
import static io.prism.kernels.vector.VectorMath.SPECIES;

import jdk.incubator.vector.FloatVector;

/** Sums of a part of what is to be summed, computed aside. */
final class PartialSums {
    private PartialSums() {}

    /**
     * Adds rows of sums, one after the other, to those in {@code y}, and leaves zeros.
     *
     * @param parts the sums, {@code rows x width}
     * @param width a multiple of {@link VectorMath#LANES}
     * @param y sums so far, from {@code yAt}, rows {@code yStride} apart
     */
    static void move(float[] parts, int rows, int width, float[] y, int yAt, int yStride) {
        FloatVector zero = FloatVector.zero(SPECIES);
        for (int row = 0; row < rows; row++) {
            int from = row * width;
            int to = yAt + row * yStride;
            for (int i = 0; i < width; i += LANES) {
                FloatVector sums = FloatVector.fromArray(SPECIES, y, to + i);
                sums.add(FloatVector.fromArray(SPECIES, parts, from + i)).intoArray(y, to + i);
                zero.intoArray(parts, from + i);
            }
        }
    }
}
