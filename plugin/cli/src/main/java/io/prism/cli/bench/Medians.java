package io.prism.cli.bench;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** Medians. */
final class Medians {
    private Medians() {}

    /** The median of the numbers; NaNs are left out; NaN if nothing is left. */
    static double of(double... values) {
        double[] sorted = Arrays.stream(values)
                .filter(value -> !Double.isNaN(value))
                .sorted()
                .toArray();
        int middle = sorted.length / 2;
        if (sorted.length == 0) {
            return Double.NaN;
        }
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /** The element in the middle when sorted by a number; of two, the first. */
    static <T> T elementOf(List<T> elements, ToDoubleFunction<T> by) {
        List<T> sorted =
                elements.stream().sorted(Comparator.comparingDouble(by)).toList();
        return sorted.get((sorted.size() - 1) / 2);
    }
}
