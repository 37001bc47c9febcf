package io.prism.kernels.vector;

import static io.prism.kernels.vector.VectorMath.LANES;
import static io.prism.kernels.vector.VectorMath.SPECIES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import org.jspecify.annotations.Nullable;

/**
 * Finds the outputs of a product that may be its largest, from estimates and bounds of their errors: all whose upper bound
 * is not below the largest lower bound. Working memory, reused by one call after the other; a chunk is a row.
 */
final class ArgmaxSearch implements WorkerTeam.Task {
    /** The most outputs of a row that are looked at more closely. */
    static final int MOST_CANDIDATES = 256;

    /** What there is of a row with more. */
    static final int TOO_MANY = -1;

    private static final float[] NONE = {};

    /**
     * By how much sums may be off, as a multiple of the largest addend: two sums of two addends each, of an estimate and of
     * an output, are rounded by 2^-23 of it at most, on either side of a comparison, and a margin may be as large as an output.
     */
    private static final float ROUNDING = 0x1p-20f;

    private final float[] values = new float[MOST_CANDIDATES];
    private float[] estimates = {};
    private float[] norms = {};
    private int[][] candidates = {};
    private int[] counts = {};
    private float[] margins = NONE;
    private float @Nullable [] added;

    /** Makes room for the estimates of {@code rows} rows. */
    void reserve(int rows, int outputs) {
        if (estimates.length < rows * outputs) {
            estimates = new float[rows * outputs];
        }
        if (counts.length < rows) {
            norms = new float[rows];
            counts = new int[rows];
            candidates = new int[rows][MOST_CANDIDATES];
        }
    }

    /** [rows, outputs], to be filled before the search. */
    float[] estimates() {
        return estimates;
    }

    /**
     * Prepares the search.
     *
     * @param x [rows, inputs] from {@code xOffset}
     * @param outputMargins error of an output as a multiple of a row's norm, [outputs]
     * @param addition what is added to outputs, [rows, outputs]; null for nothing
     * @return false if a row is too large or too small for its norm to tell anything
     */
    boolean begin(float[] x, int xOffset, int rows, int inputs, float[] outputMargins, float @Nullable [] addition) {
        margins = outputMargins;
        added = addition;
        for (int row = 0; row < rows; row++) {
            double squares = 0;
            for (int k = 0; k < inputs; k++) {
                double element = x[xOffset + row * inputs + k];
                squares += element * element;
            }
            double norm = Math.sqrt(squares) * (1 + 1e-6);
            if (!(norm >= 1 / ScreeningTask.MOST_NORM && norm <= ScreeningTask.MOST_NORM)) {
                return false;
            }
            norms[row] = (float) norm;
        }
        return true;
    }

    @Override
    public void run(int row) {
        int outputs = margins.length;
        float[] addition = added;
        float rounding =
                addition == null ? 0 : ROUNDING * add(addition, row * outputs, estimates, row * outputs, outputs);
        float least = highestLowerBound(estimates, row * outputs, margins, norms[row]) - rounding;
        counts[row] = search(estimates, row * outputs, margins, norms[row], least, candidates[row]);
    }

    /** Lets go of the margins and of what is added. */
    void end() {
        margins = NONE;
        added = null;
    }

    /** How many outputs of a row may be the largest, or {@link #TOO_MANY}. */
    int count(int row) {
        return counts[row];
    }

    /** The outputs of a row that may be the largest, rising. */
    int[] candidates(int row) {
        return candidates[row];
    }

    /** Room for the values of a row's candidates. */
    float[] values() {
        return values;
    }

    /**
     * The first of a row's largest candidates by {@link #values()}, to which is added what has to be; negative if it is no finite
     * number.
     */
    int largest(int row) {
        float[] addition = added;
        if (addition != null) {
            for (int i = 0; i < counts[row]; i++) {
                values[i] += addition[row * margins.length + candidates[row][i]];
            }
        }
        int best = VectorLogits.argmax(values, 0, counts[row]);
        return best >= 0 && Float.isFinite(values[best]) ? candidates[row][best] : -1;
    }

    /** x += added; gives the largest size of an element of either. */
    private static float add(float[] added, int from, float[] x, int offset, int length) {
        FloatVector largest = FloatVector.zero(SPECIES);
        int i = 0;
        for (; i <= length - LANES; i += LANES) {
            FloatVector addend = FloatVector.fromArray(SPECIES, added, from + i);
            FloatVector element = FloatVector.fromArray(SPECIES, x, offset + i);
            largest = addend.abs().max(element.abs()).max(largest);
            element.add(addend).intoArray(x, offset + i);
        }
        float size = largest.reduceLanes(VectorOperators.MAX);
        for (; i < length; i++) {
            size = Math.max(size, Math.max(Math.abs(added[from + i]), Math.abs(x[offset + i])));
            x[offset + i] += added[from + i];
        }
        return size;
    }

    private static float highestLowerBound(float[] x, int offset, float[] margins, float norm) {
        FloatVector a = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
        FloatVector b = a;
        int i = 0;
        for (; i <= margins.length - 2 * LANES; i += 2 * LANES) {
            FloatVector low0 = FloatVector.fromArray(SPECIES, x, offset + i)
                    .sub(FloatVector.fromArray(SPECIES, margins, i).mul(norm));
            FloatVector low1 = FloatVector.fromArray(SPECIES, x, offset + i + LANES)
                    .sub(FloatVector.fromArray(SPECIES, margins, i + LANES).mul(norm));
            a = low0.blend(a, low0.compare(VectorOperators.GT, a).not());
            b = low1.blend(b, low1.compare(VectorOperators.GT, b).not());
        }
        float highest = a.max(b).reduceLanes(VectorOperators.MAX);
        for (; i < margins.length; i++) {
            highest = Math.max(highest, x[offset + i] - margins[i] * norm);
        }
        return highest;
    }

    private static int search(float[] x, int offset, float[] margins, float norm, float least, int[] found) {
        int count = 0;
        int i = 0;
        for (; i <= margins.length - LANES && count >= 0; i += LANES) {
            FloatVector high = FloatVector.fromArray(SPECIES, x, offset + i)
                    .add(FloatVector.fromArray(SPECIES, margins, i).mul(norm));
            if (high.compare(VectorOperators.LT, least).allTrue()) {
                continue;
            }
            count = collect(x, offset, margins, norm, least, i, i + LANES, found, count);
        }
        return count < 0 ? TOO_MANY : collect(x, offset, margins, norm, least, i, margins.length, found, count);
    }

    private static int collect(
            float[] x, int offset, float[] margins, float norm, float least, int from, int to, int[] found, int count) {
        int next = count;
        for (int i = from; i < to; i++) {
            if (x[offset + i] + margins[i] * norm < least) {
                continue;
            }
            if (next == found.length) {
                return TOO_MANY;
            }
            found[next++] = i;
        }
        return next;
    }
}
