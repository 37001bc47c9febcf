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
        float largest = largest(x, offset, length);
        int i = 0;
        for (; i <= length - LANES; i += LANES) {
            VectorMask<Float> found =
                    FloatVector.fromArray(SPECIES, x, offset + i).compare(VectorOperators.EQ, largest);
            if (found.anyTrue()) {
                return i + found.firstTrue();
            }
        }
        for (; i < length; i++) {
            if (x[offset + i] == largest) {
                return i;
            }
        }
        return -1;
    }

    /** The largest element, NaN passed over; minus infinity if there is none. */
    private static float largest(float[] x, int offset, int length) {
        FloatVector largest0 = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
        FloatVector largest1 = largest0;
        FloatVector largest2 = largest0;
        FloatVector largest3 = largest0;
        int i = 0;
        for (; i <= length - 4 * LANES; i += 4 * LANES) {
            largest0 = VectorMath.larger(largest0, FloatVector.fromArray(SPECIES, x, offset + i));
            largest1 = VectorMath.larger(largest1, FloatVector.fromArray(SPECIES, x, offset + i + LANES));
            largest2 = VectorMath.larger(largest2, FloatVector.fromArray(SPECIES, x, offset + i + 2 * LANES));
            largest3 = VectorMath.larger(largest3, FloatVector.fromArray(SPECIES, x, offset + i + 3 * LANES));
        }
        FloatVector all = VectorMath.larger(
                VectorMath.larger(largest0, largest1), VectorMath.larger(largest2, largest3));
        float result = all.reduceLanes(VectorOperators.MAX);
        for (; i < length; i++) {
            if (x[offset + i] > result) {
                result = x[offset + i];
            }
        }
        return result;
    }

    static float logSumExp(float[] x, int offset, int length, float temperature) {
        float largest = largest(x, offset, length);
        float inverse = 1 / temperature;
        FloatVector sum0 = FloatVector.zero(SPECIES);
        FloatVector sum1 = sum0;
        int i = 0;
        for (; i <= length - 2 * LANES; i += 2 * LANES) {
            sum0 = sum0.add(exp(FloatVector.fromArray(SPECIES, x, offset + i), largest, inverse));
            sum1 = sum1.add(exp(FloatVector.fromArray(SPECIES, x, offset + i + LANES), largest, inverse));
        }
        for (; i < length; i += LANES) {
            VectorMask<Float> mask = VectorMath.lanesBelow(i, length);
            FloatVector rest = FloatVector.fromArray(SPECIES, x, offset + i, mask);
            sum0 = sum0.add(exp(rest, largest, inverse), mask);
        }
        return (float) ((double) largest / temperature + Math.log(VectorMath.sum(sum0.add(sum1))));
    }

    static void softmax(float[] x, int offset, int length, float temperature, float[] y, int yOffset) {
        float total = exponentials(x, offset, length, largest(x, offset, length), 1 / temperature, y, yOffset);
        int i = 0;
        for (; i <= length - LANES; i += LANES) {
            FloatVector.fromArray(SPECIES, y, yOffset + i).div(total).intoArray(y, yOffset + i);
        }
        for (; i < length; i++) {
            y[yOffset + i] /= total;
        }
    }

    /** Writes exp((x - largest) * inverse) and returns the sum. */
    private static float exponentials(
            float[] x, int offset, int length, float largest, float inverse, float[] y, int yOffset) {
        FloatVector sum0 = FloatVector.zero(SPECIES);
        FloatVector sum1 = sum0;
        int i = 0;
        for (; i <= length - 2 * LANES; i += 2 * LANES) {
            FloatVector e0 = exp(FloatVector.fromArray(SPECIES, x, offset + i), largest, inverse);
            FloatVector e1 = exp(FloatVector.fromArray(SPECIES, x, offset + i + LANES), largest, inverse);
            e0.intoArray(y, yOffset + i);
            e1.intoArray(y, yOffset + i + LANES);
            sum0 = sum0.add(e0);
            sum1 = sum1.add(e1);
        }
        for (; i < length; i += LANES) {
            VectorMask<Float> mask = VectorMath.lanesBelow(i, length);
            FloatVector rest = exp(FloatVector.fromArray(SPECIES, x, offset + i, mask), largest, inverse);
            rest.intoArray(y, yOffset + i, mask);
            sum0 = sum0.add(rest, mask);
        }
        return VectorMath.sum(sum0.add(sum1));
    }

    private static FloatVector exp(FloatVector x, float largest, float inverse) {
        return VectorMath.expNonPositive(x.sub(largest).mul(inverse));
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
        VectorMask<Float> first = greater(x, from, threshold).or(greater(x, from + LANES, threshold));
        VectorMask<Float> second =
                greater(x, from + 2 * LANES, threshold).or(greater(x, from + 3 * LANES, threshold));
        return first.or(second).anyTrue();
    }

    private static VectorMask<Float> greater(float[] x, int from, float threshold) {
        return FloatVector.fromArray(SPECIES, x, from).compare(VectorOperators.GT, threshold);
    }

    /** Elements equal to the least one kept have higher indices than it, so only greater ones count; NaN never does. */
    private static void insertGreater(
            float[] x, int offset, int from, int to, int k, int[] indices, float[] values) {
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
