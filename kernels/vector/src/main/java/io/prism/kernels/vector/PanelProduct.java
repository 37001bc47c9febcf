package io.prism.kernels.vector;

import io.prism.kernels.Precision;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/**
 * One product y = x W^T over panels; reused, one for each calling thread. A chunk is a run of
 * pairs of panels.
 *
 * <p>Each element of y is one sum over the inputs in their order, whatever the tiles: inputs are taken in sections,
 * between which the sums rest in y, so a section of a panel is read from memory once and from the cache by all further
 * rows.
 */
final class PanelProduct implements WorkerTeam.Task {
    /** Outputs of a pair of panels. */
    private static final int OUTPUTS = 2 * PanelLayout.OUTPUTS;

    private static final int LANES = FloatVector.SPECIES_PREFERRED.length();

    /** Rows of the largest tile: 16 accumulators need the 32 registers of AVX-512 or AArch64. */
    private static final int MOST_ROWS = LANES >= 16 ? 8 : 6;

    /**
     * Inputs of a section: 32 KiB of an F32 panel, which the second-level cache holds beside the activations. A
     * multiple of {@link Precision#BLOCK}. Sections also keep calls of a tile short, so that the JIT compiles it as a
     * method; compiled as a running loop (OSR) it boxes its accumulators.
     */
    static final int SECTION = 256;

    /** Chunks per thread, so that a thread that is late costs little. */
    private static final int CHUNKS_PER_THREAD = 8;

    private final ThreadLocal<float[]> lastPair = ThreadLocal.withInitial(() -> new float[0]);

    private float[] starts = new float[0];
    private float[] evenColumns = new float[0];

    private @Nullable PanelMatrix matrix;
    private float[] x = starts;
    private int xOffset;
    private int xStride;
    private int rows;
    private float[] y = starts;
    private int yOffset;
    private int pairsPerChunk;

    /** Sets up a product; the arguments are those of {@link io.prism.kernels.Kernels#multiply}. */
    void begin(PanelMatrix w, float[] from, int fromOffset, int rowCount, float[] to, int toOffset, int threads) {
        matrix = w;
        x = from;
        xOffset = fromOffset;
        xStride = w.columns();
        rows = rowCount;
        y = to;
        yOffset = toOffset;
        pairsPerChunk = Math.max(1, pairs(w) / (threads * CHUNKS_PER_THREAD));
        if (w.precision().isQuantized()) {
            sumBlocks();
        } else if (w.precision() == Precision.BF16 && xStride % 2 != 0) {
            padColumns();
        }
    }

    /** Number of chunks of the product begun. */
    int chunks() {
        return (pairs(begun()) + pairsPerChunk - 1) / pairsPerChunk;
    }

    private static int pairs(PanelMatrix w) {
        return w.panels() / 2;
    }

    /** Lets go of the arguments. */
    void end() {
        matrix = null;
        x = starts;
        y = starts;
    }

    private PanelMatrix begun() {
        PanelMatrix w = matrix;
        if (w == null) {
            throw new IllegalStateException("No product begun");
        }
        return w;
    }

    /** Each block's sum of activations, in a fixed order and before any tile, so that all tiles start alike. */
    private void sumBlocks() {
        int blocks = rows * (xStride / Precision.BLOCK);
        if (starts.length < blocks) {
            starts = new float[Math.max(blocks, 2 * starts.length)];
        }
        for (int block = 0; block < blocks; block++) {
            int from = xOffset + block * Precision.BLOCK;
            float sum0 = 0;
            float sum1 = 0;
            float sum2 = 0;
            float sum3 = 0;
            for (int k = from; k < from + Precision.BLOCK; k += 4) {
                sum0 += x[k];
                sum1 += x[k + 1];
                sum2 += x[k + 2];
                sum3 += x[k + 3];
            }
            starts[block] = PanelLayout.BLOCK_START * ((sum0 + sum1) + (sum2 + sum3));
        }
    }

    /** BF16 panels hold inputs in pairs: gives an odd row of activations a zero at its end. */
    private void padColumns() {
        int stride = xStride + 1;
        if (evenColumns.length < rows * stride) {
            evenColumns = new float[rows * stride];
        }
        for (int row = 0; row < rows; row++) {
            System.arraycopy(x, xOffset + row * xStride, evenColumns, row * stride, xStride);
            evenColumns[row * stride + xStride] = 0;
        }
        x = evenColumns;
        xOffset = 0;
        xStride = stride;
    }

    @Override
    public void run(int chunk) {
        PanelMatrix w = begun();
        int from = chunk * pairsPerChunk;
        int to = Math.min(from + pairsPerChunk, pairs(w));
        for (int pair = from; pair < to; pair++) {
            int output = pair * OUTPUTS;
            if (output + OUTPUTS <= w.rows()) {
                pair(w, pair, y, yOffset + output, w.rows());
            } else {
                lastPair(w, pair, w.rows() - output);
            }
        }
    }

    /** A pair of panels that y is not wide enough for: computed aside and copied. */
    private void lastPair(PanelMatrix w, int pair, int outputs) {
        float[] aside = lastPair.get();
        if (aside.length < rows * OUTPUTS) {
            aside = new float[rows * OUTPUTS];
            lastPair.set(aside);
        }
        pair(w, pair, aside, 0, OUTPUTS);
        int to = yOffset + pair * OUTPUTS;
        for (int row = 0; row < rows; row++) {
            System.arraycopy(aside, row * OUTPUTS, y, to + row * w.rows(), outputs);
        }
    }

    private void pair(PanelMatrix w, int pair, float[] sums, int sumsOffset, int sumsStride) {
        for (int row = 0; row < rows; row++) {
            int from = sumsOffset + row * sumsStride;
            Arrays.fill(sums, from, from + OUTPUTS, 0);
        }
        long base = 2 * pair * w.panelBytes();
        for (int section = 0; section < xStride; section += SECTION) {
            int inputs = Math.min(SECTION, xStride - section);
            long at = base + PanelLayout.panelBytes(w.precision(), section);
            int row = 0;
            while (row < rows) {
                int tileRows = tileRows(rows - row);
                tiles(w, at, section, inputs, row, tileRows, sums, sumsOffset + row * sumsStride, sumsStride);
                row += tileRows;
            }
        }
    }

    /** Where the vector of an output of a pair of panels begins, from where the first output's does. */
    private static long bytesTo(PanelMatrix w, int output) {
        return output / PanelLayout.OUTPUTS * w.panelBytes() + (long) (output % PanelLayout.OUTPUTS) * Float.BYTES;
    }

    /** Rows of the next tile when {@code left} are to be done. */
    private static int tileRows(int left) {
        if (left >= MOST_ROWS) {
            return MOST_ROWS;
        }
        return left == 1 ? 1 : left & ~1;
    }

    private void tiles(
            PanelMatrix w, long at, int section, int inputs, int row, int tileRows, float[] sums, int to, int stride) {
        int from = xOffset + row * xStride + section;
        int blocksPerRow = xStride / Precision.BLOCK;
        int start = row * blocksPerRow + section / Precision.BLOCK;
        int blocks = inputs / Precision.BLOCK;
        switch (w.precision()) {
            case F32 -> f32(w, at, inputs, from, tileRows, sums, to, stride);
            case BF16 -> bf16(w, at, inputs / 2, from, tileRows, sums, to, stride);
            case Q4 -> q4(w, at, blocks, from, start, blocksPerRow, tileRows, sums, to, stride);
            case I8 -> i8(w, at, blocks, from, start, blocksPerRow, tileRows, sums, to, stride);
        }
    }

    private void f32(
            PanelMatrix w, long at, int steps, int from, int tileRows, float[] sums, int to, int stride) {
        MemorySegment panels = w.segment();
        int vectors = tileRows <= 4 ? 4 : 2;
        for (int output = 0; output < OUTPUTS; output += vectors * LANES) {
            long first = at + bytesTo(w, output);
            long second = at + bytesTo(w, output + 2 * LANES);
            int out = to + output;
            switch (tileRows) {
                case 1 -> F32Tiles.tile4x1(panels, first, second, steps, x, from, xStride, sums, out, stride);
                case 2 -> F32Tiles.tile4x2(panels, first, second, steps, x, from, xStride, sums, out, stride);
                case 4 -> F32Tiles.tile4x4(panels, first, second, steps, x, from, xStride, sums, out, stride);
                case 6 -> F32Tiles.tile2x6(panels, first, steps, x, from, xStride, sums, out, stride);
                default -> F32Tiles.tile2x8(panels, first, steps, x, from, xStride, sums, out, stride);
            }
        }
    }

    private void bf16(
            PanelMatrix w, long at, int steps, int from, int tileRows, float[] sums, int to, int stride) {
        MemorySegment panels = w.segment();
        int vectors = tileRows <= 4 ? 4 : 2;
        for (int output = 0; output < OUTPUTS; output += vectors * LANES) {
            long first = at + bytesTo(w, output);
            long second = at + bytesTo(w, output + 2 * LANES);
            int out = to + output;
            switch (tileRows) {
                case 1 -> Bf16Tiles.tile4x1(panels, first, second, steps, x, from, xStride, sums, out, stride);
                case 2 -> Bf16Tiles.tile4x2(panels, first, second, steps, x, from, xStride, sums, out, stride);
                case 4 -> Bf16Tiles.tile4x4(panels, first, second, steps, x, from, xStride, sums, out, stride);
                case 6 -> Bf16Tiles.tile2x6(panels, first, steps, x, from, xStride, sums, out, stride);
                default -> Bf16Tiles.tile2x8(panels, first, steps, x, from, xStride, sums, out, stride);
            }
        }
    }

    private void q4(
            PanelMatrix w,
            long at,
            int blocks,
            int from,
            int start,
            int perRow,
            int tileRows,
            float[] sums,
            int to,
            int stride) {
        MemorySegment panels = w.segment();
        int vectors = tileRows <= 2 ? 4 : 2;
        for (int output = 0; output < OUTPUTS; output += vectors * LANES) {
            long first = at + bytesTo(w, output);
            long second = at + bytesTo(w, output + 2 * LANES);
            int out = to + output;
            switch (tileRows) {
                case 1 ->
                    Q4Tiles.tile4x1(
                            panels, first, second, blocks, x, from, xStride, starts, start, perRow, sums, out, stride);
                case 2 ->
                    Q4Tiles.tile4x2(
                            panels, first, second, blocks, x, from, xStride, starts, start, perRow, sums, out, stride);
                case 4 ->
                    Q4Tiles.tile2x4(panels, first, blocks, x, from, xStride, starts, start, perRow, sums, out, stride);
                case 6 ->
                    Q4Tiles.tile2x6(panels, first, blocks, x, from, xStride, starts, start, perRow, sums, out, stride);
                default ->
                    Q4Tiles.tile2x8(panels, first, blocks, x, from, xStride, starts, start, perRow, sums, out, stride);
            }
        }
    }

    private void i8(
            PanelMatrix w,
            long at,
            int blocks,
            int from,
            int start,
            int perRow,
            int tileRows,
            float[] sums,
            int to,
            int stride) {
        MemorySegment panels = w.segment();
        int vectors = tileRows <= 2 ? 4 : 2;
        for (int output = 0; output < OUTPUTS; output += vectors * LANES) {
            long first = at + bytesTo(w, output);
            long second = at + bytesTo(w, output + 2 * LANES);
            int out = to + output;
            switch (tileRows) {
                case 1 ->
                    I8Tiles.tile4x1(
                            panels, first, second, blocks, x, from, xStride, starts, start, perRow, sums, out, stride);
                case 2 ->
                    I8Tiles.tile4x2(
                            panels, first, second, blocks, x, from, xStride, starts, start, perRow, sums, out, stride);
                case 4 ->
                    I8Tiles.tile2x4(panels, first, blocks, x, from, xStride, starts, start, perRow, sums, out, stride);
                case 6 ->
                    I8Tiles.tile2x6(panels, first, blocks, x, from, xStride, starts, start, perRow, sums, out, stride);
                default ->
                    I8Tiles.tile2x8(panels, first, blocks, x, from, xStride, starts, start, perRow, sums, out, stride);
            }
        }
    }
}
