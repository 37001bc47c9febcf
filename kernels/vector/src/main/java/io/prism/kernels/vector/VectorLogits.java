package io.prism.kernels.vector;

import static io.prism.kernels.vector.VectorMath.LANES;
import static io.prism.kernels.vector.VectorMath.SPECIES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** What is done with one row of logits. Arguments as in {@link io.prism.kernels.Kernels}. */
final class VectorLogits {
    private VectorLogits() {}

    static int argmax(float[] x, int offset, int length) {
        return first(x, offset, length, largest(x, offset, length));
    }

    /** Index of the first element of a value; -1 if there is none. */
    private static int first(float[] x, int offset, int length, float value) {
        int i = 0;
        for (; i <= length - LANES; i += LANES) {
            VectorMask<Float> found =
                    FloatVector.fromArray(SPECIES, x, offset + i).compare(VectorOperators.EQ, value);
            if (found.anyTrue()) {
                return i + found.firstTrue();
            }
        }
        for (; i < length; i++) {
            if (x[offset + i] == value) {
                return i;
            }
        }
        return -1;
    }

    /** The largest element, NaN passed over; minus infinity if there is none. */
    private static float largest(float[] x, int offset, int length) {
        FloatVector a = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        int i = 0;
        for (; i <= length - 4 * LANES; i += 4 * LANES) {
            FloatVector x0 = FloatVector.fromArray(SPECIES, x, offset + i);
            FloatVector x1 = FloatVector.fromArray(SPECIES, x, offset + i + LANES);
            FloatVector x2 = FloatVector.fromArray(SPECIES, x, offset + i + 2 * LANES);
            FloatVector x3 = FloatVector.fromArray(SPECIES, x, offset + i + 3 * LANES);
            a = x0.blend(a, x0.compare(VectorOperators.GT, a).not());
            b = x1.blend(b, x1.compare(VectorOperators.GT, b).not());
            c = x2.blend(c, x2.compare(VectorOperators.GT, c).not());
            d = x3.blend(d, x3.compare(VectorOperators.GT, d).not());
        }
        float result = a.max(b).max(c.max(d)).reduceLanes(VectorOperators.MAX);
        for (; i < length; i++) {
            if (x[offset + i] > result) {
                result = x[offset + i];
            }
        }
        return result;
    }

    static float logSumExp(float[] x, int offset, int length, float temperature) {
        float largest = largest(x, offset, length);
        float sum = VectorMath.sumOfExponentials(x, offset, length, largest, 1 / temperature);
        return (float) ((double) largest / temperature + Math.log(sum));
    }

    static void softmax(float[] x, int offset, int length, float temperature, float[] y, int yOffset) {
        float largest = largest(x, offset, length);
        float total = VectorMath.exponentials(x, offset, length, largest, 1 / temperature, y, yOffset);
        int i = 0;
        for (; i <= length - LANES; i += LANES) {
            FloatVector.fromArray(SPECIES, y, yOffset + i).div(total).intoArray(y, yOffset + i);
        }
        for (; i < length; i++) {
            y[yOffset + i] /= total;
        }
    }

    static int draw(float[] x, int offset, int length, float[] noise) {
        // NaN and positive infinity times 0 are NaN
        FloatVector damage = FloatVector.zero(SPECIES);
        int i = 0;
        for (; i <= length - LANES; i += LANES) {
            FloatVector logits = FloatVector.fromArray(SPECIES, x, offset + i);
            damage = logits.max(0f).mul(0f).add(damage);
            FloatVector.fromArray(SPECIES, noise, i).add(logits).intoArray(noise, i);
        }
        float damaged = damage.reduceLanes(VectorOperators.ADD);
        for (; i < length; i++) {
            damaged += Math.max(x[offset + i], 0) * 0;
            noise[i] += x[offset + i];
        }
        if (Float.isNaN(damaged)) {
            return -1;
        }
        float largest = largest(noise, 0, length);
        return largest == Float.NEGATIVE_INFINITY ? -1 : first(noise, 0, length, largest);
    }

    static void topK(float[] x, int offset, int length, int k, int[] indices, float[] values) {
        if (k < 0 || k > length) {
            throw new IllegalArgumentException("Top " + k + " of " + length + " elements");
        }
        if (k == 0) {
            return;
        }
        for (int i = 0; i < k; i++) {
            float value = Float.isNaN(x[offset + i]) ? Float.NEGATIVE_INFINITY : x[offset + i];
            insert(value, i, i, indices, values);
        }
        int i = k;
        for (; i <= length - 4 * LANES; i += 4 * LANES) {
            if (anyGreater(x, offset + i, values[k - 1])) {
                insertGreater(x, offset, i, i + 4 * LANES, k, indices, values);
            }
        }
        insertGreater(x, offset, i, length, k, indices, values);
    }

    private static boolean anyGreater(float[] x, int from, float threshold) {
        return FloatVector.fromArray(SPECIES, x, from)
                .compare(VectorOperators.GT, threshold)
                .or(FloatVector.fromArray(SPECIES, x, from + LANES).compare(VectorOperators.GT, threshold))
                .or(FloatVector.fromArray(SPECIES, x, from + 2 * LANES).compare(VectorOperators.GT, threshold))
                .or(FloatVector.fromArray(SPECIES, x, from + 3 * LANES).compare(VectorOperators.GT, threshold))
                .anyTrue();
    }

    /** Elements equal to the least one kept have higher indices than it, so only greater ones count; NaN never does. */
    private static void insertGreater(float[] x, int offset, int from, int to, int k, int[] indices, float[] values) {
        for (int i = from; i < to; i++) {
            if (x[offset + i] > values[k - 1]) {
                insert(x[offset + i], i, k - 1, indices, values);
            }
        }
    }

    /** Inserts an element behind all that are at least as large among the first {@code count}, dropping entry count. */
    private static void insert(float value, int index, int count, int[] indices, float[] values) {
        int low = 0;
        int high = count;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (values[middle] >= value) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        System.arraycopy(values, low, values, low + 1, count - low);
        System.arraycopy(indices, low, indices, low + 1, count - low);
        values[low] = value;
        indices[low] = index;
    }
}
