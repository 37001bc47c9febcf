package io.prism.kernels.vector;

import io.prism.kernels.Precision;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/**
 * One product y = x W^T over panels; reused, one for each calling thread. A chunk is a run of sets of panels.
 *
 * <p>A tile goes through a set of panels side by side, each a stream of its own: the panels as a whole, so that the
 * machine's prefetching is not begun anew more often than a panel ends, and with as many rows as registers allow, so that
 * computing hides the reading. Further rows take the set from the cache. Where rows are left that no tile has, the next
 * larger one computes rows of zeros with them.
 *
 * <p>Each element of y is one sum over the inputs in their order, whatever the tiles.
 */
final class PanelProduct implements WorkerTeam.Task {
    private static final int WIDTH = PanelLayout.WIDTH;
    private static final int LANES = FloatVector.SPECIES_PREFERRED.length();

    /** Up to 24 accumulators need the 32 registers of AVX-512 or AArch64; with AVX2's 16 tiles stay at 6. */
    private static final boolean MANY_REGISTERS = LANES != 8;

    private static final int MOST_TILE_ROWS = MANY_REGISTERS ? 8 : 2;

    /**
     * Bytes of a panel that several tiles take one after the other: three panels of it stay in a second-level cache of 512
     * KiB and more. A single tile takes panels whole.
     */
    private static final long SECTION_BYTES = 128 << 10;

    /** Rows from which on decoding quantised weights once for all of them pays. */
    static final int LEAST_DECODED_ROWS = 24;

    /** Inputs decoded at a time: 96 KiB of floats for the set, beside the activations of a tile. */
    private static final int DECODED_INPUTS = 512;

    /** Chunks per thread, so that a thread that is late costs little. */
    private static final int CHUNKS_PER_THREAD = 8;

    private static final float[] NONE = new float[0];

    private final ThreadLocal<float[]> asides = ThreadLocal.withInitial(() -> NONE);
    private final ThreadLocal<float[]> decodings = ThreadLocal.withInitial(() -> NONE);

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

    /** {@link #rows} and the rows of zeros that fill the last tile. */
    private int paddedRows;

    private float[] y = NONE;
    private int yOffset;

    /** Whether a set's weights are decoded once for all rows: see {@link DecodedTiles}. */
    private boolean decoded;

    /** Panels of a set. */
    private int side;

    /** Inputs that all rows take before the next; a multiple of {@link Precision#BLOCK} unless it is all of them. */
    private int section;

    private int sets;
    private int setsPerChunk;

    /** Sets up a product; the arguments are those of {@link io.prism.kernels.Kernels#multiply}. */
    void begin(PanelMatrix w, float[] from, int fromOffset, int rowCount, float[] to, int toOffset, int threads) {
        matrix = w;
        rows = rowCount;
        y = to;
        yOffset = toOffset;
        Precision precision = w.precision();
        int columns = w.columns();
        inputs = precision == Precision.BF16 ? columns + columns % 2 : columns;
        decoded = MANY_REGISTERS && precision.isQuantized() && rowCount >= LEAST_DECODED_ROWS;
        if (decoded) {
            paddedRows = (rowCount + DecodedTiles.ROWS - 1) / DecodedTiles.ROWS * DecodedTiles.ROWS;
            side = DecodedTiles.SIDE;
            section = DECODED_INPUTS;
        } else {
            paddedRows = rowCount == 1 ? 1 : paddedRows(rowCount);
            side = side(precision, rowCount);
            section = paddedRows <= MOST_TILE_ROWS ? inputs : sectionInputs(precision);
        }
        sets = (w.usedPanels() + side - 1) / side;
        setsPerChunk = Math.max(1, sets / (threads * CHUNKS_PER_THREAD));
        if (precision.isQuantized()) {
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
        return (sets + setsPerChunk - 1) / setsPerChunk;
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

    /**
     * Panels that tiles of a number of rows go through side by side, each at most {@link PanelLayout#MOST_SIDE}.
     *
     * <p>Decoding quantised weights takes registers too, hence 2. A single row has few sums to work on at once: 4 panels
     * then, but 3 for F32, where two additions to a sum are not in a row (measured on AMD Zen 4, 2026-11).
     */
    private static int side(Precision precision, int rowCount) {
        if (precision.isQuantized()) {
            return rowCount == 1 ? 4 : 2;
        }
        return rowCount == 1 && precision == Precision.BF16 ? 4 : 3;
    }

    private static int sectionInputs(Precision precision) {
        return (int) (SECTION_BYTES / PanelLayout.panelBytes(precision, Precision.BLOCK)) * Precision.BLOCK;
    }

    private static int paddedRows(int rowCount) {
        int whole = rowCount - rowCount % MOST_TILE_ROWS;
        int left = rowCount - whole;
        return left == 0 ? whole : whole + left + left % 2;
    }

    /** Rows of the next tile when {@code left} are to be done, zeros included. */
    private static int tileRows(int left) {
        return Math.min(left, MOST_TILE_ROWS);
    }

    /** Lays the rows of each tile out input by input, so that a tile finds its activations at constant distances. */
    private void interleave(float[] from, int fromOffset, int columns) {
        if (interleaved.length < paddedRows * inputs) {
            interleaved = new float[Math.max(paddedRows * inputs, 2 * interleaved.length)];
        }
        for (int first = 0; first < paddedRows; ) {
            int tileRows = tileRows(paddedRows - first);
            int tile = first * inputs;
            for (int row = 0; row < tileRows; row++) {
                int filled = first + row < rows ? columns : 0;
                int source = fromOffset + (first + row) * columns;
                for (int k = 0; k < filled; k++) {
                    interleaved[tile + k * tileRows + row] = from[source + k];
                }
                for (int k = filled; k < inputs; k++) {
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
        if (starts.length < paddedRows * blocks) {
            starts = new float[Math.max(paddedRows * blocks, 2 * starts.length)];
        }
        for (int first = 0; first < paddedRows; ) {
            int tileRows = tileRows(paddedRows - first);
            for (int row = 0; row < tileRows; row++) {
                boolean filled = first + row < rows;
                for (int block = 0; block < blocks; block++) {
                    int source = fromOffset + (first + row) * inputs + block * Precision.BLOCK;
                    starts[first * blocks + block * tileRows + row] = filled ? BLOCK_START * sum(from, source) : 0;
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
        int from = chunk * setsPerChunk;
        int to = Math.min(from + setsPerChunk, sets);
        int outputs = side * WIDTH;
        for (int set = from; set < to; set++) {
            int output = set * outputs;
            int wanted = Math.min(outputs, w.rows() - output);
            if (wanted == outputs && paddedRows == rows) {
                set(w, set, y, yOffset + output, w.rows());
            } else {
                setAside(w, set, wanted);
            }
        }
    }

    /** A set that y has no room for, in width or in rows of zeros: computed aside and copied. */
    private void setAside(PanelMatrix w, int set, int wanted) {
        int outputs = side * WIDTH;
        float[] aside = asides.get();
        if (aside.length < paddedRows * outputs) {
            aside = new float[paddedRows * PanelLayout.MOST_SIDE * WIDTH];
            asides.set(aside);
        }
        set(w, set, aside, 0, outputs);
        int to = yOffset + set * outputs;
        for (int row = 0; row < rows; row++) {
            System.arraycopy(aside, row * outputs, y, to + row * w.rows(), wanted);
        }
    }

    private void set(PanelMatrix w, int set, float[] sums, int sumsOffset, int sumsStride) {
        for (int row = 0; row < paddedRows; row++) {
            int from = sumsOffset + row * sumsStride;
            Arrays.fill(sums, from, from + side * WIDTH, 0);
        }
        long panels = set * side * w.panelBytes();
        for (int begin = 0; begin < inputs; begin += section) {
            int sectionInputs = Math.min(section, inputs - begin);
            long at = panels + PanelLayout.panelBytes(w.precision(), begin);
            if (decoded) {
                decodedSection(w, at, begin, sectionInputs, sums, sumsOffset, sumsStride);
                continue;
            }
            for (int row = 0; row < paddedRows; ) {
                int tileRows = tileRows(paddedRows - row);
                int element = row * inputs + begin * tileRows;
                tile(w, at, sectionInputs, element, tileRows, sums, sumsOffset + row * sumsStride, sumsStride);
                row += tileRows;
            }
        }
    }

    /** All rows' sums over a section of a quantised set, which is decoded before. */
    private void decodedSection(
            PanelMatrix w, long at, int begin, int sectionInputs, float[] sums, int sumsOffset, int sumsStride) {
        int blocks = sectionInputs / Precision.BLOCK;
        int panelFloats = DECODED_INPUTS * WIDTH;
        float[] values = decodings.get();
        if (values.length == 0) {
            values = new float[DecodedTiles.SIDE * panelFloats];
            decodings.set(values);
        }
        int bits = w.precision() == Precision.Q4 ? 4 : 8;
        long blockBytes = PanelLayout.panelBytes(w.precision(), Precision.BLOCK);
        for (int lane = 0; lane < WIDTH; lane += LANES) {
            long weights = at + (long) lane * Integer.BYTES;
            for (int panel = 0; panel < side; panel++) {
                long panelAt = weights + panel * w.panelBytes();
                DecodedTiles.decode(w.segment(), panelAt, blocks, bits, values, panel * panelFloats + lane);
            }
            for (int row = 0; row < paddedRows; row += DecodedTiles.ROWS) {
                int element = row * inputs + begin * DecodedTiles.ROWS;
                DecodedTiles.tile(
                        values,
                        lane,
                        panelFloats,
                        w.segment(),
                        weights,
                        blockBytes,
                        w.panelBytes(),
                        blocks,
                        x,
                        xOffset + element,
                        starts,
                        element / Precision.BLOCK,
                        sums,
                        sumsOffset + row * sumsStride + lane,
                        sumsStride);
            }
        }
    }

    /** A tile of the set, one vector of each panel after the other. */
    private void tile(
            PanelMatrix w, long at, int sectionInputs, int element, int tileRows, float[] sums, int to, int stride) {
        MemorySegment panels = w.segment();
        long panelBytes = w.panelBytes();
        int from = xOffset + element;
        int start = element / Precision.BLOCK;
        for (int lane = 0; lane < WIDTH; lane += LANES) {
            long weights = at + (long) lane * Integer.BYTES;
            int out = to + lane;
            switch (w.precision()) {
                case F32 -> f32(panels, weights, panelBytes, sectionInputs, from, tileRows, sums, out, stride);
                case BF16 -> bf16(panels, weights, panelBytes, sectionInputs / 2, from, tileRows, sums, out, stride);
                case Q4 -> {
                    int blocks = sectionInputs / Precision.BLOCK;
                    q4(panels, weights, panelBytes, blocks, from, start, tileRows, sums, out, stride);
                }
                case I8 -> {
                    int blocks = sectionInputs / Precision.BLOCK;
                    i8(panels, weights, panelBytes, blocks, from, start, tileRows, sums, out, stride);
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
            case 1 -> F32Tiles.tile3x1(w, at, panelBytes, steps, x, from, sums, to, stride);
            case 2 -> F32Tiles.tile3x2(w, at, panelBytes, steps, x, from, sums, to, stride);
            case 4 -> F32Tiles.tile3x4(w, at, panelBytes, steps, x, from, sums, to, stride);
            case 6 -> F32Tiles.tile3x6(w, at, panelBytes, steps, x, from, sums, to, stride);
            default -> F32Tiles.tile3x8(w, at, panelBytes, steps, x, from, sums, to, stride);
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
            case 2 -> Bf16Tiles.tile3x2(w, at, panelBytes, steps, x, from, sums, to, stride);
            case 4 -> Bf16Tiles.tile3x4(w, at, panelBytes, steps, x, from, sums, to, stride);
            case 6 -> Bf16Tiles.tile3x6(w, at, panelBytes, steps, x, from, sums, to, stride);
            default -> Bf16Tiles.tile3x8(w, at, panelBytes, steps, x, from, sums, to, stride);
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
            case 6 -> Q4Tiles.tile2x6(w, at, panelBytes, blocks, x, from, starts, start, sums, to, stride);
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
            case 6 -> I8Tiles.tile2x6(w, at, panelBytes, blocks, x, from, starts, start, sums, to, stride);
            default -> I8Tiles.tile2x8(w, at, panelBytes, blocks, x, from, starts, start, sums, to, stride);
        }
    }
}
