package io.prism.kernels.vector;

import io.prism.kernels.Precision;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/**
 * One product y = x W^T over panels; reused, one for each calling thread. A chunk is a run of panels.
 *
 * <p>Each element of y is one sum over the inputs in their order, whatever the tiles: inputs are taken in sections,
 * between which the sums rest in y, so a section of a panel is read from memory once and from the cache by all further
 * rows.
 */
final class PanelProduct implements WorkerTeam.Task {
    private static final int LANES = FloatVector.SPECIES_PREFERRED.length();

    /** Rows of the largest tile: 16 accumulators need the 32 registers of AVX-512 or AArch64. */
    private static final int MOST_ROWS = LANES >= 16 ? 8 : 6;

    /**
     * Inputs of a section: 64 KiB of an F32 panel, which the second-level cache holds beside the activations. A
     * multiple of {@link Precision#BLOCK}. Sections also keep calls of a tile short, so that the JIT compiles it as a
     * method; compiled as a running loop (OSR) it boxes its accumulators.
     */
    static final int SECTION = 256;

    /** Chunks per thread, so that a thread that is late costs little. */
    private static final int CHUNKS_PER_THREAD = 8;

    private final ThreadLocal<float[]> lastPanel = ThreadLocal.withInitial(() -> new float[0]);

    private float[] starts = new float[0];
    private float[] evenColumns = new float[0];

    private @Nullable PanelMatrix matrix;
    private float[] x = starts;
    private int xOffset;
    private int xStride;
    private int rows;
    private float[] y = starts;
    private int yOffset;
    private int panelsPerChunk;

    /** Sets up a product; the arguments are those of {@link io.prism.kernels.Kernels#multiply}. */
    void begin(PanelMatrix w, float[] from, int fromOffset, int rowCount, float[] to, int toOffset, int threads) {
        matrix = w;
        x = from;
        xOffset = fromOffset;
        xStride = w.columns();
        rows = rowCount;
        y = to;
        yOffset = toOffset;
        panelsPerChunk = Math.max(1, w.panels() / (threads * CHUNKS_PER_THREAD));
        if (w.precision().isQuantized()) {
            sumBlocks();
        } else if (w.precision() == Precision.BF16 && xStride % 2 != 0) {
            padColumns();
        }
    }

    /** Number of chunks of the product begun. */
    int chunks() {
        return (begun().panels() + panelsPerChunk - 1) / panelsPerChunk;
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
        int from = chunk * panelsPerChunk;
        int to = Math.min(from + panelsPerChunk, w.panels());
        for (int panel = from; panel < to; panel++) {
            int output = panel * PanelLayout.OUTPUTS;
            if (output + PanelLayout.OUTPUTS <= w.rows()) {
                panel(w, panel, y, yOffset + output, w.rows());
            } else {
                lastPanel(w, panel, w.rows() - output);
            }
        }
    }

    /** A panel that y is not wide enough for: computed aside and copied. */
    private void lastPanel(PanelMatrix w, int panel, int outputs) {
        float[] aside = lastPanel.get();
        if (aside.length < rows * PanelLayout.OUTPUTS) {
            aside = new float[rows * PanelLayout.OUTPUTS];
            lastPanel.set(aside);
        }
        panel(w, panel, aside, 0, PanelLayout.OUTPUTS);
        int to = yOffset + panel * PanelLayout.OUTPUTS;
        for (int row = 0; row < rows; row++) {
            System.arraycopy(aside, row * PanelLayout.OUTPUTS, y, to + row * w.rows(), outputs);
        }
    }

    private void panel(PanelMatrix w, int panel, float[] sums, int sumsOffset, int sumsStride) {
        for (int row = 0; row < rows; row++) {
            int from = sumsOffset + row * sumsStride;
            Arrays.fill(sums, from, from + PanelLayout.OUTPUTS, 0);
        }
        long base = panel * w.panelBytes();
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

    /** Rows of the next tile when {@code left} are to be done. */
    private static int tileRows(int left) {
        if (left >= MOST_ROWS) {
            return MOST_ROWS;
        }
        return left == 1 ? 1 : left & ~1;
    }

    private void tiles(
            PanelMatrix w, long at, int section, int inputs, int row, int tileRows, float[] sums, int to, int stride) {
        MemorySegment panels = w.segment();
        int from = xOffset + row * xStride + section;
        switch (w.precision()) {
            case F32 -> f32(panels, at, inputs, from, tileRows, sums, to, stride);
            case BF16 -> bf16(panels, at, inputs / 2, from, tileRows, sums, to, stride);
            case Q4, I8 -> {
                int blocksPerRow = xStride / Precision.BLOCK;
                int start = row * blocksPerRow + section / Precision.BLOCK;
                if (w.precision() == Precision.Q4) {
                    q4(panels, at, inputs / Precision.BLOCK, from, start, blocksPerRow, tileRows, sums, to, stride);
                } else {
                    i8(panels, at, inputs / Precision.BLOCK, from, start, blocksPerRow, tileRows, sums, to, stride);
                }
            }
        }
    }

    private void f32(
            MemorySegment w, long at, int steps, int from, int tileRows, float[] sums, int to, int stride) {
        int vectors = tileRows <= 4 ? 4 : 2;
        for (int lane = 0; lane < PanelLayout.OUTPUTS; lane += vectors * LANES) {
            long byteAt = at + (long) lane * Float.BYTES;
            switch (tileRows) {
                case 1 -> F32Tiles.tile4x1(w, byteAt, steps, x, from, xStride, sums, to + lane, stride);
                case 2 -> F32Tiles.tile4x2(w, byteAt, steps, x, from, xStride, sums, to + lane, stride);
                case 4 -> F32Tiles.tile4x4(w, byteAt, steps, x, from, xStride, sums, to + lane, stride);
                case 6 -> F32Tiles.tile2x6(w, byteAt, steps, x, from, xStride, sums, to + lane, stride);
                default -> F32Tiles.tile2x8(w, byteAt, steps, x, from, xStride, sums, to + lane, stride);
            }
        }
    }

    private void bf16(
            MemorySegment w, long at, int steps, int from, int tileRows, float[] sums, int to, int stride) {
        int vectors = tileRows <= 4 ? 4 : 2;
        for (int lane = 0; lane < PanelLayout.OUTPUTS; lane += vectors * LANES) {
            long byteAt = at + (long) lane * Float.BYTES;
            switch (tileRows) {
                case 1 -> Bf16Tiles.tile4x1(w, byteAt, steps, x, from, xStride, sums, to + lane, stride);
                case 2 -> Bf16Tiles.tile4x2(w, byteAt, steps, x, from, xStride, sums, to + lane, stride);
                case 4 -> Bf16Tiles.tile4x4(w, byteAt, steps, x, from, xStride, sums, to + lane, stride);
                case 6 -> Bf16Tiles.tile2x6(w, byteAt, steps, x, from, xStride, sums, to + lane, stride);
                default -> Bf16Tiles.tile2x8(w, byteAt, steps, x, from, xStride, sums, to + lane, stride);
            }
        }
    }

    private void q4(
            MemorySegment w,
            long at,
            int blocks,
            int from,
            int start,
            int startStride,
            int tileRows,
            float[] sums,
            int to,
            int stride) {
        int vectors = tileRows <= 2 ? 4 : 2;
        for (int lane = 0; lane < PanelLayout.OUTPUTS; lane += vectors * LANES) {
            long byteAt = at + (long) lane * Float.BYTES;
            int out = to + lane;
            switch (tileRows) {
                case 1 -> Q4Tiles.tile4x1(w, byteAt, blocks, x, from, xStride, starts, start, startStride, sums, out, stride);
                case 2 -> Q4Tiles.tile4x2(w, byteAt, blocks, x, from, xStride, starts, start, startStride, sums, out, stride);
                case 4 -> Q4Tiles.tile2x4(w, byteAt, blocks, x, from, xStride, starts, start, startStride, sums, out, stride);
                case 6 -> Q4Tiles.tile2x6(w, byteAt, blocks, x, from, xStride, starts, start, startStride, sums, out, stride);
                default -> Q4Tiles.tile2x8(w, byteAt, blocks, x, from, xStride, starts, start, startStride, sums, out, stride);
            }
        }
    }

    private void i8(
            MemorySegment w,
            long at,
            int blocks,
            int from,
            int start,
            int startStride,
            int tileRows,
            float[] sums,
            int to,
            int stride) {
        int vectors = tileRows <= 2 ? 4 : 2;
        for (int lane = 0; lane < PanelLayout.OUTPUTS; lane += vectors * LANES) {
            long byteAt = at + (long) lane * Float.BYTES;
            int out = to + lane;
            switch (tileRows) {
                case 1 -> I8Tiles.tile4x1(w, byteAt, blocks, x, from, xStride, starts, start, startStride, sums, out, stride);
                case 2 -> I8Tiles.tile4x2(w, byteAt, blocks, x, from, xStride, starts, start, startStride, sums, out, stride);
                case 4 -> I8Tiles.tile2x4(w, byteAt, blocks, x, from, xStride, starts, start, startStride, sums, out, stride);
                case 6 -> I8Tiles.tile2x6(w, byteAt, blocks, x, from, xStride, starts, start, startStride, sums, out, stride);
                default -> I8Tiles.tile2x8(w, byteAt, blocks, x, from, xStride, starts, start, startStride, sums, out, stride);
            }
        }
    }
}
