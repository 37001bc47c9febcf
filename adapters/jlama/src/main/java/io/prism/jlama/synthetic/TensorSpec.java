package io.prism.jlama.synthetic;

import java.util.List;

/**
 * A random tensor: normally distributed elements.
 *
 * @param name as Hugging Face names it
 * @param rows 0 for a vector
 * @param columns elements of a row
 * @param mean of the elements
 * @param deviation standard deviation of the elements
 */
record TensorSpec(String name, int rows, int columns, float mean, float deviation) {

    static TensorSpec matrix(String name, int rows, int columns, double deviation) {
        return new TensorSpec(name, rows, columns, 0, (float) deviation);
    }

    static TensorSpec vector(String name, int length, double mean, double deviation) {
        return new TensorSpec(name, 0, length, (float) mean, (float) deviation);
    }

    List<Long> shape() {
        return rows == 0 ? List.of((long) columns) : List.of((long) rows, (long) columns);
    }
}
