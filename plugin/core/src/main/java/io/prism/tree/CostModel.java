package io.prism.tree;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Time of a target pass by its number of rows, as measured on this machine. Thread-safe.
 *
 * <p>Known at a few sizes (knots), linear between them and never falling with more rows. Sizes beyond the last known
 * one are assumed to cost {@value #ASSUMED_ROW_COST} of a one-row pass per row, or as much per row as between the last
 * two known ones if that is more. Passes of real rounds refine it: by their logarithm, a bounded step at a time, so that
 * a pause of the machine hardly shows while a lasting change is followed within some tens of passes. A size not seen for long
 * follows those that are, and the next pass of it counts for much.
 */
public final class CostModel {
    /**
     * What a row is assumed to add to a pass, as a share of a one-row pass, where nothing was measured: more than a pass
     * bound by memory costs, less than one bound by arithmetic, so that a promising tree is tried and then measured.
     */
    static final double ASSUMED_ROW_COST = 0.3;

    /** Share of a new observation in a knot that has seen many. */
    private static final double STEP = 0.03;

    /** Share of a new observation in all knots: what lengthens the context or slows the machine slows every size. */
    private static final double COMMON_STEP = 0.05;

    /** Observations that a calibration counts for: enough to move slowly from there. */
    private static final int CALIBRATED = 48;

    /** The most an observation counts, as logarithm of real over expected: a factor of 1.35. Nothing makes a pass too fast. */
    private static final double MOST_SURPRISE = 0.3;

    /** Passes after which a size that was not among them is not known any more. */
    static final int STALE_PASSES = 128;

    /** Share of a new observation in a knot that was stale: nearly all where it is faster, which a pause can not be. */
    private static final double STALE_STEP_UP = 0.5;

    private static final double STALE_STEP_DOWN = 0.9;

    private final int[] knots;
    private final double[] logNanos;
    private final int[] observations;
    /** By knot, how many passes there had been when it was last seen. */
    private final long[] seen;

    private long passes;
    private volatile double[] curve;

    /** @param maxRows the most rows of a pass, at least 1 */
    public CostModel(int maxRows) {
        knots = knots(maxRows);
        logNanos = new double[knots.length];
        observations = new int[knots.length];
        seen = new long[knots.length];
        curve = new double[maxRows + 1];
    }

    /** Sizes worth measuring, rising from 1. */
    public int[] knots() {
        return knots.clone();
    }

    private static int[] knots(int maxRows) {
        int[] candidates = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256};
        int[] fitting = Arrays.stream(candidates).filter(rows -> rows < maxRows).toArray();
        int[] knots = Arrays.copyOf(fitting, fitting.length + 1);
        knots[fitting.length] = maxRows;
        return knots;
    }

    /** The most rows of a pass. */
    public int maxRows() {
        return curve.length - 1;
    }

    /** Whether the time of a one-row pass is known; without it nothing can be compared. */
    public boolean isKnown() {
        return curve[1] > 0;
    }

    /**
     * Expected time of a pass in nanoseconds; 0 if {@link #isKnown()} is false.
     *
     * @param rows from 1 to {@link #maxRows()}
     */
    public double nanos(int rows) {
        return curve[rows];
    }

    /**
     * Replaces what is known about a size with the median of measurements made under good conditions.
     *
     * @param rows one of {@link #knots()}
     */
    public synchronized void calibrate(int rows, long[] nanos) {
        int knot = Arrays.binarySearch(knots, rows);
        if (knot < 0 || nanos.length == 0) {
            throw new IllegalArgumentException("No measurement to take for " + rows + " rows");
        }
        long[] sorted = nanos.clone();
        Arrays.sort(sorted);
        logNanos[knot] = Math.log((double) Math.max(1, sorted[sorted.length / 2]));
        observations[knot] = CALIBRATED;
        seen[knot] = passes;
        rebuild();
    }

    /**
     * Whether what is said of a size is old: a machine that others use may have become another since it was last seen. One pass
     * of it tells.
     *
     * @param rows from 1 to {@link #maxRows()}
     */
    public synchronized boolean isStale(int rows) {
        return isStaleKnot(knotFor(rows));
    }

    private boolean isStaleKnot(int knot) {
        return passes - seen[knot] > STALE_PASSES;
    }

    /** The first knot of at least so many rows. */
    private int knotFor(int rows) {
        int knot = 0;
        while (knots[knot] < rows) {
            knot++;
        }
        return knot;
    }

    /** A round's pass took this long. */
    public synchronized void observe(int rows, long nanos) {
        passes++;
        double log = Math.log((double) Math.max(1, nanos));
        int upper = knotFor(rows);
        if (knots[upper] == rows && observations[upper] == 0) {
            logNanos[upper] = log;
            observations[upper] = 1;
            seen[upper] = passes;
        } else if (isKnown()) {
            double surprise = Math.min(log - Math.log(curve[rows]), MOST_SURPRISE);
            int lower = knots[upper] == rows ? upper : upper - 1;
            double share = Math.max(share(upper, surprise), share(lower, surprise));
            for (int knot = 0; knot < knots.length; knot++) {
                logNanos[knot] += COMMON_STEP * surprise;
                if (isStaleKnot(knot) && (knot < lower || knot > upper)) {
                    // the best guess of what has become of it
                    logNanos[knot] += share * surprise;
                }
            }
            refine(upper, surprise);
            if (lower != upper) {
                refine(lower, surprise);
            }
        }
        rebuild();
    }

    /** Milliseconds of the sizes that were measured or seen. */
    @Override
    public synchronized String toString() {
        return IntStream.range(0, knots.length)
                .filter(knot -> observations[knot] > 0)
                .mapToObj(knot -> String.format(Locale.ROOT, "%d rows %.2f ms", knots[knot], curve[knots[knot]] / 1e6))
                .collect(Collectors.joining(", "));
    }

    private void refine(int knot, double surprise) {
        if (observations[knot] == 0) {
            logNanos[knot] = Math.log(curve[knots[knot]]);
        }
        logNanos[knot] += share(knot, surprise) * surprise;
        observations[knot]++;
        seen[knot] = passes;
    }

    /** Share of a new observation in a knot. */
    private double share(int knot, double surprise) {
        if (isStaleKnot(knot)) {
            return surprise < 0 ? STALE_STEP_DOWN : STALE_STEP_UP;
        }
        return Math.max(STEP, 1.0 / (observations[knot] + 2));
    }

    private void rebuild() {
        if (observations[0] == 0) {
            return;
        }
        double[] next = new double[curve.length];
        next[1] = Math.exp(logNanos[0]);
        double slope = ASSUMED_ROW_COST * next[1];
        int known = 1;
        for (int knot = 1; knot < knots.length; knot++) {
            if (observations[knot] > 0) {
                double value = Math.max(next[known], Math.exp(logNanos[knot]));
                double rowCost = (value - next[known]) / (knots[knot] - known);
                for (int rows = known + 1; rows <= knots[knot]; rows++) {
                    next[rows] = next[known] + rowCost * (rows - known);
                }
                slope = Math.max(ASSUMED_ROW_COST * next[1], rowCost);
                known = knots[knot];
            }
        }
        for (int rows = known + 1; rows < next.length; rows++) {
            next[rows] = next[known] + slope * (rows - known);
        }
        curve = next;
    }
}
