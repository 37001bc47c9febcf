package io.prism.kernels.vector;

import io.prism.kernels.Precision;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/**
 * One product y = x W^T over panels; reused, one for each calling thread. A chunk is a run of groups of panels.
 *
 * <p>Each element of y is one sum over the inputs in their order, whatever the tiles: inputs are taken in sections,
 * between which the sums rest in y, so a section of a group is read from memory once and from the cache by all further
 * rows.
 */
final class PanelProduct implements WorkerTeam.Task {
    /** Outputs of a group of panels. */
    static final int OUTPUTS = PanelLayout.GROUP * PanelLayout.WIDTH;

    private static final int LANES = FloatVector.SPECIES_PREFERRED.length();

    /** 16 or 24 accumulators need the 32 registers of AVX-512 or AArch64; with AVX2's 16 tiles stay at 8. */
    private static final boolean MANY_REGISTERS = LANES != 8;

    /**
     * Inputs of a section: a group of F32 panels takes 128 KiB, which the second-level cache holds beside the activations
     * of a tile. A multiple of {@link Precision#BLOCK}. Sections also keep calls of a tile short, so that the JIT compiles
     * it as a method; compiled as a running loop (OSR) it boxes its accumulators.
     */
    static final int SECTION = 512;

    /** Chunks per thread, so that a thread that is late costs little. */
    private static final int CHUNKS_PER_THREAD = 8;

    private static final float[] NONE = new float[0];

    private final ThreadLocal<float[]> lastGroup = ThreadLocal.withInitial(() -> NONE);

    /** What a block's sum of 1 + n / 2^bits starts from, times the sum of its activations: see {@link Q4Tiles}. */
    private static final float BLOCK_START = -1.5f;

    private float[] interleaved = NONE;
    private float[] starts = NONE;

    private @Nullable PanelMatrix matrix;
    private float[] x = NONE;
    private int xOffset;

    /** Inputs of a row of {@link #x}: the matrix's columns, made even where a step is two inputs. */
    private int inputs;

    private int rows;
    private float[] y = NONE;
    private int yOffset;
    private int groupsPerChunk;

    /** Sets up a product; the arguments are those of {@link io.prism.kernels.Kernels#multiply}. */
    void begin(PanelMatrix w, float[] from, int fromOffset, int rowCount, float[] to, int toOffset, int threads) {
        matrix = w;
        rows = rowCount;
        y = to;
        yOffset = toOffset;
        groupsPerChunk = Math.max(1, w.groups() / (threads * CHUNKS_PER_THREAD));
        int columns = w.columns();
        inputs = w.precision() == Precision.BF16 ? columns + columns % 2 : columns;
        if (w.precision().isQuantized()) {
            sumBlocks(from, fromOffset);
        }
        if (rowCount == 1 && inputs == columns) {
            x = from;
            xOffset = fromOffset;
        } else {
            interleave(from, fromOffset, columns);
        }
    }

    /** Number of chunks of the product begun. */
    int chunks() {
        return (begun().groups() + groupsPerChunk - 1) / groupsPerChunk;
    }

    /** Lets go of the arguments. */
    void end() {
        matrix = null;
        x = NONE;
        y = NONE;
    }

    private PanelMatrix begun() {
        PanelMatrix w = matrix;
        if (w == null) {
            throw new IllegalStateException("No product begun");
        }
        return w;
    }

    /** Lays the rows of each tile out input by input, so that a tile finds its activations at constant distances. */
    private void interleave(float[] from, int fromOffset, int columns) {
        if (interleaved.length < rows * inputs) {
            interleaved = new float[Math.max(rows * inputs, 2 * interleaved.length)];
        }
        for (int first = 0; first < rows; ) {
            int tileRows = tileRows(rows - first);
            int tile = first * inputs;
            for (int row = 0; row < tileRows; row++) {
                int source = fromOffset + (first + row) * columns;
                for (int k = 0; k < columns; k++) {
                    interleaved[tile + k * tileRows + row] = from[source + k];
                }
                for (int k = columns; k < inputs; k++) {
                    interleaved[tile + k * tileRows + row] = 0;
                }
            }
            first += tileRows;
        }
        x = interleaved;
        xOffset = 0;
    }

    /** Each block's start, in a fixed order and before any tile, so that all tiles start alike. */
    private void sumBlocks(float[] from, int fromOffset) {
        int blocks = inputs / Precision.BLOCK;
        if (starts.length < rows * blocks) {
            starts = new float[Math.max(rows * blocks, 2 * starts.length)];
        }
        for (int first = 0; first < rows; ) {
            int tileRows = tileRows(rows - first);
            for (int row = 0; row < tileRows; row++) {
                for (int block = 0; block < blocks; block++) {
                    int source = fromOffset + (first + row) * inputs + block * Precision.BLOCK;
                    starts[first * blocks + block * tileRows + row] = BLOCK_START * sum(from, source);
                }
            }
            first += tileRows;
        }
    }

    private static float sum(float[] from, int offset) {
        float sum0 = 0;
        float sum1 = 0;
        float sum2 = 0;
        float sum3 = 0;
        for (int k = offset; k < offset + Precision.BLOCK; k += 4) {
            sum0 += from[k];
            sum1 += from[k + 1];
            sum2 += from[k + 2];
            sum3 += from[k + 3];
        }
        return (sum0 + sum1) + (sum2 + sum3);
    }

    @Override
    public void run(int chunk) {
        PanelMatrix w = begun();
        int from = chunk * groupsPerChunk;
        int to = Math.min(from + groupsPerChunk, w.groups());
        for (int group = from; group < to; group++) {
            int output = group * OUTPUTS;
            if (output + OUTPUTS <= w.rows()) {
                group(w, group, y, yOffset + output, w.rows());
            } else {
                lastGroup(w, group, w.rows() - output);
            }
        }
    }

    /** A group that y is not wide enough for: computed aside and copied. */
    private void lastGroup(PanelMatrix w, int group, int outputs) {
        float[] aside = lastGroup.get();
        if (aside.length < rows * OUTPUTS) {
            aside = new float[rows * OUTPUTS];
            lastGroup.set(aside);
        }
        group(w, group, aside, 0, OUTPUTS);
        int to = yOffset + group * OUTPUTS;
        for (int row = 0; row < rows; row++) {
            System.arraycopy(aside, row * OUTPUTS, y, to + row * w.rows(), outputs);
        }
    }

    private void group(PanelMatrix w, int group, float[] sums, int sumsOffset, int sumsStride) {
        for (int row = 0; row < rows; row++) {
            int from = sumsOffset + row * sumsStride;
            Arrays.fill(sums, from, from + OUTPUTS, 0);
        }
        long base = group * PanelLayout.GROUP * w.panelBytes();
        for (int section = 0; section < inputs; section += SECTION) {
            int sectionInputs = Math.min(SECTION, inputs - section);
            long at = base + PanelLayout.panelBytes(w.precision(), section);
            for (int row = 0; row < rows; ) {
                int tileRows = tileRows(rows - row);
                int from = xOffset + row * inputs + section * tileRows;
                int start = (row * inputs + section * tileRows) / Precision.BLOCK;
                tiles(w, at, sectionInputs, from, start, tileRows, sums, sumsOffset + row * sumsStride, sumsStride);
                row += tileRows;
            }
        }
    }

    /** Rows of the next tile when {@code left} are to be done. */
    private int tileRows(int left) {
        int most = MANY_REGISTERS ? begun().precision().isQuantized() ? 8 : 12 : 2;
        if (left >= most) {
            return most;
        }
        return left >= 4 ? 4 : Math.min(left, 2);
    }

    /** The tiles of a group, for some rows. A tile covers one vector of each of its panels. */
    private void tiles(
            PanelMatrix w,
            long at,
            int sectionInputs,
            int from,
            int start,
            int tileRows,
            float[] sums,
            int to,
            int stride) {
        MemorySegment panels = w.segment();
        long panelBytes = w.panelBytes();
        int side = tileRows > (w.precision().isQuantized() ? 1 : 4) ? 2 : PanelLayout.GROUP;
        for (int panel = 0; panel < PanelLayout.GROUP; panel += side) {
            for (int lane = 0; lane < PanelLayout.WIDTH; lane += LANES) {
                long weights = at + panel * panelBytes + (long) lane * Integer.BYTES;
                int out = to + panel * PanelLayout.WIDTH + lane;
                switch (w.precision()) {
                    case F32 -> f32(panels, weights, panelBytes, sectionInputs, from, tileRows, sums, out, stride);
                    case BF16 ->
                        bf16(panels, weights, panelBytes, sectionInputs / 2, from, tileRows, sums, out, stride);
                    case Q4 ->
                        q4(
                                panels,
                                weights,
                                panelBytes,
                                sectionInputs / Precision.BLOCK,
                                from,
                                start,
                                tileRows,
                                sums,
                                out,
                                stride);
                    case I8 ->
                        i8(
                                panels,
                                weights,
                                panelBytes,
                                sectionInputs / Precision.BLOCK,
                                from,
                                start,
                                tileRows,
                                sums,
                                out,
                                stride);
                }
            }
        }
    }

    private void f32(
            MemorySegment w,
            long at,
            long panelBytes,
            int steps,
            int from,
            int tileRows,
            float[] sums,
            int to,
            int stride) {
        switch (tileRows) {
            case 1 -> F32Tiles.tile4x1(w, at, panelBytes, steps, x, from, sums, to, stride);
            case 2 -> F32Tiles.tile4x2(w, at, panelBytes, steps, x, from, sums, to, stride);
            case 4 -> F32Tiles.tile4x4(w, at, panelBytes, steps, x, from, sums, to, stride);
            default -> F32Tiles.tile2x12(w, at, panelBytes, steps, x, from, sums, to, stride);
        }
    }

    private void bf16(
            MemorySegment w,
            long at,
            long panelBytes,
            int steps,
            int from,
            int tileRows,
            float[] sums,
            int to,
            int stride) {
        switch (tileRows) {
            case 1 -> Bf16Tiles.tile4x1(w, at, panelBytes, steps, x, from, sums, to, stride);
            case 2 -> Bf16Tiles.tile4x2(w, at, panelBytes, steps, x, from, sums, to, stride);
            case 4 -> Bf16Tiles.tile4x4(w, at, panelBytes, steps, x, from, sums, to, stride);
            default -> Bf16Tiles.tile2x12(w, at, panelBytes, steps, x, from, sums, to, stride);
        }
    }

    private void q4(
            MemorySegment w,
            long at,
            long panelBytes,
            int blocks,
            int from,
            int start,
            int tileRows,
            float[] sums,
            int to,
            int stride) {
        switch (tileRows) {
            case 1 -> Q4Tiles.tile4x1(w, at, panelBytes, blocks, x, from, starts, start, sums, to, stride);
            case 2 -> Q4Tiles.tile2x2(w, at, panelBytes, blocks, x, from, starts, start, sums, to, stride);
            case 4 -> Q4Tiles.tile2x4(w, at, panelBytes, blocks, x, from, starts, start, sums, to, stride);
            default -> Q4Tiles.tile2x8(w, at, panelBytes, blocks, x, from, starts, start, sums, to, stride);
        }
    }

    private void i8(
            MemorySegment w,
            long at,
            long panelBytes,
            int blocks,
            int from,
            int start,
            int tileRows,
            float[] sums,
            int to,
            int stride) {
        switch (tileRows) {
            case 1 -> I8Tiles.tile4x1(w, at, panelBytes, blocks, x, from, starts, start, sums, to, stride);
            case 2 -> I8Tiles.tile2x2(w, at, panelBytes, blocks, x, from, starts, start, sums, to, stride);
            case 4 -> I8Tiles.tile2x4(w, at, panelBytes, blocks, x, from, starts, start, sums, to, stride);
            default -> I8Tiles.tile2x8(w, at, panelBytes, blocks, x, from, starts, start, sums, to, stride);
        }
    }
}
