package io.prism.kernels.vector;

import io.prism.kernels.Precision;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/**
 * One product y = x W^T over row-major weights; reused by one call after the other. A chunk is a run of groups of
 * {@value RowTiles#OUTPUTS} outputs.
 *
 * <p>A section of a group's weights is decoded to floats once and used for all rows. Each element of y is the sum of
 * as many sums as a vector has lanes, lane i over inputs i, i + lanes, ..; the lanes are added up in a fixed order.
 */
final class RowProduct implements WorkerTeam.Task {
    private static final int LANES = FloatVector.SPECIES_PREFERRED.length();

    /** Inputs of a section: weights of a group in 8 KiB of the first-level cache. A multiple of a block. */
    private static final int SECTION = 16 * Precision.BLOCK;

    private static final int CHUNKS_PER_THREAD = 16;

    /** Floats of the lanes of one row's sums. */
    private static final int ROW_SUMS = RowTiles.OUTPUTS * LANES;

    private static final float[] NOTHING = {};

    private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

    private @Nullable RowMatrix matrix;
    private float[] x = NOTHING;
    private int xOffset;
    private int rows;
    private float[] y = NOTHING;
    private int yOffset;
    private int groupsPerChunk;

    /** Sets up a product; the arguments are those of {@link io.prism.kernels.Kernels#multiply}. */
    void begin(RowMatrix w, float[] from, int fromOffset, int rowCount, float[] to, int toOffset, int threads) {
        matrix = w;
        x = from;
        xOffset = fromOffset;
        rows = rowCount;
        y = to;
        yOffset = toOffset;
        groupsPerChunk = Math.max(1, groups(w) / (threads * CHUNKS_PER_THREAD));
    }

    /** Number of chunks of the product begun. */
    int chunks() {
        return (groups(begun()) + groupsPerChunk - 1) / groupsPerChunk;
    }

    /** Lets go of the arguments. */
    void end() {
        matrix = null;
        x = NOTHING;
        y = NOTHING;
    }

    private RowMatrix begun() {
        RowMatrix w = matrix;
        if (w == null) {
            throw new IllegalStateException("No product begun");
        }
        return w;
    }

    private static int groups(RowMatrix w) {
        return (w.rows() + RowTiles.OUTPUTS - 1) / RowTiles.OUTPUTS;
    }

    @Override
    public void run(int chunk) {
        RowMatrix w = begun();
        Scratch own = SCRATCH.get();
        own.reserve(rows);
        int from = chunk * groupsPerChunk;
        int to = Math.min(from + groupsPerChunk, groups(w));
        for (int group = from; group < to; group++) {
            int output = group * RowTiles.OUTPUTS;
            int outputs = Math.min(RowTiles.OUTPUTS, w.rows() - output);
            Arrays.fill(own.sums, 0, rows * ROW_SUMS, 0);
            for (int section = 0; section < w.columns(); section += SECTION) {
                int inputs = Math.min(SECTION, w.columns() - section);
                for (int i = 0; i < outputs; i++) {
                    w.decode(output + i, section, inputs, own.weights, i * SECTION);
                }
                section(own, w.columns(), section, inputs);
            }
            for (int row = 0; row < rows; row++) {
                for (int i = 0; i < outputs; i++) {
                    y[yOffset + row * w.rows() + output + i] = total(own.sums, row * ROW_SUMS + i * LANES);
                }
            }
        }
    }

    private void section(Scratch own, int xStride, int section, int inputs) {
        int vectors = inputs / LANES;
        int row = 0;
        while (row < rows) {
            int from = xOffset + row * xStride + section;
            int sums = row * ROW_SUMS;
            int left = rows - row;
            if (left >= 4) {
                RowTiles.tile4x4(own.weights, SECTION, vectors, x, from, xStride, own.sums, sums);
                row += 4;
            } else if (left >= 2) {
                RowTiles.tile4x2(own.weights, SECTION, vectors, x, from, xStride, own.sums, sums);
                row += 2;
            } else {
                RowTiles.tile4x1(own.weights, SECTION, vectors, x, from, own.sums, sums);
                row++;
            }
        }
        for (int k = vectors * LANES; k < inputs; k++) {
            addInput(own, xStride, section, k, k - vectors * LANES);
        }
    }

    /** Adds one input that fills no vector to a lane of the sums. */
    private void addInput(Scratch own, int xStride, int section, int k, int lane) {
        for (int row = 0; row < rows; row++) {
            float activation = x[xOffset + row * xStride + section + k];
            for (int i = 0; i < RowTiles.OUTPUTS; i++) {
                int at = row * ROW_SUMS + i * LANES + lane;
                own.sums[at] = Math.fma(own.weights[i * SECTION + k], activation, own.sums[at]);
            }
        }
    }

    /** The lanes' total, halves added to each other until one is left. */
    private static float total(float[] sums, int from) {
        for (int half = LANES / 2; half > 0; half /= 2) {
            for (int lane = 0; lane < half; lane++) {
                sums[from + lane] += sums[from + half + lane];
            }
        }
        return sums[from];
    }

    private static final class Scratch {
        private final float[] weights = new float[RowTiles.OUTPUTS * SECTION];
        private float[] sums = new float[ROW_SUMS];

        void reserve(int rows) {
            if (sums.length < rows * ROW_SUMS) {
                sums = new float[Math.max(rows * ROW_SUMS, 2 * sums.length)];
            }
        }
    }
}
