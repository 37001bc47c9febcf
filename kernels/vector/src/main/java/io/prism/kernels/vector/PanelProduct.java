package io.prism.kernels.vector;

import io.prism.kernels.Precision;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/**
 * One product y = x W^T over panels; reused by one call after the other. A chunk is a run of sets of panels.
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

    /** Inputs of all rows of a tile laid out at a time. */
    private static final int INTERLEAVED_INPUTS = 128;

    /** Chunks per thread and tile of rows, so that a thread that is late costs little. */
    private static final int CHUNKS_PER_THREAD = 8;

    private static final float[] NONE = new float[0];
    private static final int[] NO_OUTPUTS = new int[0];

    private static final ThreadLocal<float[]> ASIDES = ThreadLocal.withInitial(() -> NONE);
    private static final ThreadLocal<short[]> BLOCK_SUMS =
            ThreadLocal.withInitial(() -> new short[RoundedQ4Tiles.MOST_SUMS]);
    private static final ThreadLocal<int[]> NEAREST = ThreadLocal.withInitial(() -> new int[Precision.BLOCK]);
    private static final ThreadLocal<float[]> DECODINGS = ThreadLocal.withInitial(() -> NONE);

    /** What an I8 block's sum starts from, times the sum of its activations: see {@link I8Tiles}. */
    private static final float BLOCK_START = -1.5f;

    private final WorkerTeam.Task preparation = this::prepare;
    private final WorkerTeam.Task singles = this::single;

    private float[] interleaved = NONE;
    private float[] starts = NONE;
    private final RoundedActivations rounded = new RoundedActivations();

    private @Nullable PanelMatrix matrix;

    /** The activations as given, rows one after the other. */
    private float[] given = NONE;

    private int givenOffset;

    /** Whether tiles take the activations as given: a single row. */
    private boolean asGiven;

    private float[] x = NONE;
    private int xOffset;

    /** Inputs of a row of {@link #x}: the matrix's columns, made even where a step is two inputs. */
    private int inputs;

    private int rows;

    /** {@link #rows} and the rows of zeros that fill the last tile. */
    private int paddedRows;

    private float[] y = NONE;
    private int yOffset;

    /** The outputs wanted, if not all are. */
    private int[] wantedOutputs = NO_OUTPUTS;

    /** The most rows of a tile. */
    private int mostTileRows;

    /** Whether a set's weights are decoded once for all rows: see {@link DecodedTiles}. */
    private boolean decoded;

    /** Panels of a set. */
    private int side;

    /** Inputs that all rows take before the next; a multiple of {@link Precision#BLOCK} unless it is all of them. */
    private int section;

    private int sets;
    private int setsPerChunk;

    /** Rows of a chunk of the last set of a decoded product, which all threads share so that they end together. */
    private int rowsOfLastChunks;

    /**
     * Sets up a product; the arguments are those of {@link io.prism.kernels.Kernels#multiply}. Its preparation is to be run
     * next, then the product.
     */
    void begin(PanelMatrix w, float[] from, int fromOffset, int rowCount, float[] to, int toOffset, int threads) {
        matrix = w;
        rows = rowCount;
        y = to;
        yOffset = toOffset;
        Precision precision = w.precision();
        int columns = w.columns();
        inputs = precision == Precision.BF16 ? columns + columns % 2 : columns;
        mostTileRows = precision == Precision.Q4 && !w.isRounded()
                ? Math.min(MOST_TILE_ROWS, Q4Tiles.MOST_ROWS)
                : MOST_TILE_ROWS;
        decoded = MANY_REGISTERS && precision.isQuantized() && !w.isRounded() && rowCount >= LEAST_DECODED_ROWS;
        if (decoded) {
            mostTileRows = DecodedTiles.ROWS;
            paddedRows = (rowCount + DecodedTiles.ROWS - 1) / DecodedTiles.ROWS * DecodedTiles.ROWS;
            side = DecodedTiles.SIDE;
            section = DecodedTiles.INPUTS;
        } else {
            boolean hasTile = rowCount == 1 || MANY_REGISTERS && rowCount == 3 && w.isRounded();
            paddedRows = hasTile ? rowCount : paddedRows(rowCount);
            if (w.isRounded() && paddedRows % MOST_TILE_ROWS == 6) {
                // a rounded tile of 6 rows boxed vectors in one of several builds, before MixedProfiles
                mostTileRows = 4;
            }
            side = w.isRounded() ? roundedSide(rowCount) : side(precision, rowCount);
            section = paddedRows <= mostTileRows ? inputs : sectionInputs(precision);
        }
        sets = (w.usedPanels() + side - 1) / side;
        int tiles = (paddedRows + mostTileRows - 1) / mostTileRows;
        setsPerChunk = decoded ? 1 : Math.max(1, sets / (threads * CHUNKS_PER_THREAD * tiles));
        rowsOfLastChunks = (tiles + threads - 1) / threads * mostTileRows;
        given = from;
        givenOffset = fromOffset;
        if (w.isRounded()) {
            rounded.reserve(paddedRows, inputs);
            return;
        }
        asGiven = rowCount == 1 && inputs == columns;
        if (asGiven) {
            x = from;
            xOffset = fromOffset;
        } else {
            interleaved = reserved(interleaved, paddedRows * inputs);
            x = interleaved;
            xOffset = 0;
        }
        if (precision.isQuantized()) {
            starts = reserved(starts, paddedRows * (inputs / Precision.BLOCK));
        }
    }

    private static float[] reserved(float[] kept, int length) {
        return kept.length < length ? new float[Math.max(length, 2 * kept.length)] : kept;
    }

    /** The preparation of the product begun, which has to be done before it: a chunk is the activations of a tile. */
    WorkerTeam.Task preparation() {
        return preparation;
    }

    /** Number of chunks of the preparation. */
    int preparationChunks() {
        return (paddedRows + mostTileRows - 1) / mostTileRows;
    }

    /** Number of chunks of the product begun. */
    int chunks() {
        return decoded
                ? sets - 1 + (paddedRows + rowsOfLastChunks - 1) / rowsOfLastChunks
                : (sets + setsPerChunk - 1) / setsPerChunk;
    }

    /** Bytes of a set's panels. */
    long setBytes() {
        return side * begun().panelBytes();
    }

    /**
     * Instead of the product begun, which is of one row: some of its outputs, bit for bit the same. Chunk i is output {@code
     * outputs[i]} and goes to element i of y.
     */
    WorkerTeam.Task singles(int[] outputs) {
        wantedOutputs = outputs;
        return singles;
    }

    /** Lets go of the arguments. */
    void end() {
        matrix = null;
        wantedOutputs = NO_OUTPUTS;
        given = NONE;
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
     * <p>Decoding quantised weights takes registers too, hence 2. Few rows wait for memory, which gives more to more streams
     * (measured on an Intel Xeon, 2026-11): in BF16 8 of them take 7% off one row and 20% off two rows, for which 4 and 3 were enough on
     * AMD Zen 4, and 5 a sixth off 4 rows; in I8 3 instead of 2 a sixth off up to 4 rows.
     */
    private static int side(Precision precision, int rowCount) {
        if (precision == Precision.I8) {
            return rowCount == 1 ? 4 : MANY_REGISTERS && rowCount <= 4 ? 3 : 2;
        }
        if (precision == Precision.Q4) {
            return 2;
        }
        return precision == Precision.BF16 ? bf16Side(rowCount) : 3;
    }

    /** As {@link #side}; as many as leave their sums in registers. */
    private static int bf16Side(int rowCount) {
        if (!MANY_REGISTERS) {
            return rowCount == 1 ? 4 : 3;
        }
        return switch (rowCount) {
            case 1, 2 -> 8;
            case 3, 4 -> 5;
            case 5, 6 -> 4;
            default -> 3;
        };
    }

    /**
     * As {@link #side}; rounded activations leave more registers to decode into. A single row waits for memory, which gives
     * more to 8 streams than to 4: a fifth of its time (measured on AMD Zen 4, 2026-11). Of 4 rows 4 panels take 11% less than
     * 2; of 2 rows 8 no less than 4 (Intel Xeon, 2026-11).
     */
    private static int roundedSide(int rowCount) {
        return switch (rowCount) {
            case 1 -> MANY_REGISTERS ? 8 : 4;
            case 2, 3, 4, 5, 6 -> MANY_REGISTERS ? 4 : 2;
            default -> 2;
        };
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
    private int tileRows(int left) {
        return Math.min(left, mostTileRows);
    }

    private void prepare(int chunk) {
        PanelMatrix w = begun();
        int first = chunk * mostTileRows;
        int tileRows = tileRows(paddedRows - first);
        if (w.isRounded()) {
            round(first, tileRows);
            return;
        }
        if (!asGiven) {
            interleave(first, tileRows, w.columns());
        }
        if (w.precision().isQuantized()) {
            sumBlocks(first, tileRows, w.precision());
        }
    }

    /**
     * Lays the rows of a tile out input by input, so that it finds its activations at constant distances; a few inputs of
     * all rows at a time, which stay in the first-level cache meanwhile.
     */
    private void interleave(int first, int tileRows, int columns) {
        float[] from = given;
        float[] to = interleaved;
        int tile = first * inputs;
        for (int begin = 0; begin < inputs; begin += INTERLEAVED_INPUTS) {
            int end = Math.min(begin + INTERLEAVED_INPUTS, inputs);
            for (int row = 0; row < tileRows; row++) {
                int filled = first + row < rows ? Math.min(end, columns) : begin;
                int source = givenOffset + (first + row) * columns;
                for (int k = begin; k < filled; k++) {
                    to[tile + k * tileRows + row] = from[source + k];
                }
                for (int k = filled; k < end; k++) {
                    to[tile + k * tileRows + row] = 0;
                }
            }
        }
    }

    private void round(int first, int tileRows) {
        int firstBlock = first * (inputs / Precision.BLOCK);
        int[] nearest = NEAREST.get();
        for (int row = 0; row < tileRows; row++) {
            if (first + row < rows) {
                rounded.round(given, givenOffset + (first + row) * inputs, inputs, firstBlock, tileRows, row, nearest);
            } else {
                rounded.zero(inputs, firstBlock, tileRows, row);
            }
        }
    }

    /** Each block's start, in a fixed order and before any tile, so that all tiles start alike. */
    private void sumBlocks(int first, int tileRows, Precision precision) {
        int blocks = inputs / Precision.BLOCK;
        for (int row = 0; row < tileRows; row++) {
            boolean fromZero = first + row >= rows || precision == Precision.Q4;
            int source = givenOffset + (first + row) * inputs;
            int to = first * blocks + row;
            for (int block = 0; block < blocks; block++) {
                starts[to + block * tileRows] =
                        fromZero ? 0 : BLOCK_START * sum(given, source + block * Precision.BLOCK);
            }
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
        if (decoded) {
            int set = Math.min(chunk, sets - 1);
            int chunkRows = set < sets - 1 ? paddedRows : rowsOfLastChunks;
            int firstRow = (chunk - set) * chunkRows;
            decodedSet(w, set, firstRow, Math.min(firstRow + chunkRows, paddedRows));
            return;
        }
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

    private void single(int chunk) {
        int outputs = side * WIDTH;
        int output = wantedOutputs[chunk];
        float[] aside = aside();
        set(begun(), output / outputs, aside, 0, outputs);
        y[yOffset + chunk] = aside[output % outputs];
    }

    /** A set that y has no room for, in width or in rows of zeros: computed aside and copied. */
    private void setAside(PanelMatrix w, int set, int wanted) {
        int outputs = side * WIDTH;
        float[] aside = aside();
        set(w, set, aside, 0, outputs);
        copy(aside, set, 0, rows, w.rows(), wanted);
    }

    private float[] aside() {
        float[] aside = ASIDES.get();
        if (aside.length < paddedRows * side * WIDTH) {
            aside = new float[paddedRows * side * WIDTH];
            ASIDES.set(aside);
        }
        return aside;
    }

    private void copy(float[] aside, int set, int firstRow, int toRow, int stride, int wanted) {
        int outputs = side * WIDTH;
        int to = yOffset + set * outputs;
        for (int row = firstRow; row < toRow; row++) {
            System.arraycopy(aside, (row - firstRow) * outputs, y, to + row * stride, wanted);
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
            for (int row = 0; row < paddedRows; ) {
                int tileRows = tileRows(paddedRows - row);
                int element = row * inputs + begin * tileRows;
                tile(w, at, sectionInputs, element, tileRows, sums, sumsOffset + row * sumsStride, sumsStride);
                row += tileRows;
            }
        }
    }

    /**
     * Rows {@code firstRow} to {@code toRow - 1} of a quantised set, each section of which is decoded once for them. Sums lie
     * aside, close together: y's rows are often a multiple of 4 KiB apart, where the first-level cache holds no more than 8
     * of them.
     */
    private void decodedSet(PanelMatrix w, int set, int firstRow, int toRow) {
        float[] values = DECODINGS.get();
        if (values.length == 0) {
            values = new float[DecodedTiles.DECODED];
            DECODINGS.set(values);
        }
        float[] sums = aside();
        Arrays.fill(sums, 0, (toRow - firstRow) * DecodedTiles.OUTPUTS, 0);
        int bits = w.precision() == Precision.Q4 ? 4 : 8;
        long blockBytes = PanelLayout.panelBytes(w.precision(), Precision.BLOCK);
        long panels = set * side * w.panelBytes();
        for (int begin = 0; begin < inputs; begin += section) {
            int blocks = Math.min(section, inputs - begin) / Precision.BLOCK;
            int element = firstRow * inputs + begin * DecodedTiles.ROWS;
            for (int lane = 0; lane < WIDTH; lane += LANES) {
                long at = panels + PanelLayout.panelBytes(w.precision(), begin) + (long) lane * Integer.BYTES;
                for (int panel = 0; panel < side; panel++) {
                    DecodedTiles.decode(w.segment(), at + panel * w.panelBytes(), blocks, bits, panel, lane, values);
                }
                DecodedTiles.addSection(
                        values,
                        lane,
                        w.segment(),
                        at,
                        blockBytes,
                        w.panelBytes(),
                        blocks,
                        x,
                        xOffset + element,
                        DecodedTiles.ROWS * inputs,
                        starts,
                        element / Precision.BLOCK,
                        DecodedTiles.ROWS * inputs / Precision.BLOCK,
                        toRow - firstRow,
                        sums);
            }
        }
        int outputs = DecodedTiles.OUTPUTS;
        int wanted = Math.min(outputs, w.rows() - set * outputs);
        copy(sums, set, firstRow, Math.min(toRow, rows), w.rows(), wanted);
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
                case F32 ->
                    PanelTiles.f32(panels, weights, panelBytes, sectionInputs, x, from, tileRows, sums, out, stride);
                case BF16 ->
                    PanelTiles.bf16(
                            panels, weights, panelBytes, sectionInputs / 2, x, from, side, tileRows, sums, out, stride);
                case Q4 -> {
                    int blocks = sectionInputs / Precision.BLOCK;
                    if (w.isRounded()) {
                        PanelTiles.roundedQ4(
                                panels,
                                weights,
                                panelBytes,
                                blocks,
                                rounded,
                                element / 2,
                                start,
                                side,
                                tileRows,
                                BLOCK_SUMS.get(),
                                sums,
                                out,
                                stride);
                    } else {
                        PanelTiles.q4(
                                panels,
                                weights,
                                panelBytes,
                                blocks,
                                x,
                                from,
                                starts,
                                start,
                                tileRows,
                                sums,
                                out,
                                stride);
                    }
                }
                case I8 -> {
                    int blocks = sectionInputs / Precision.BLOCK;
                    PanelTiles.i8(
                            panels,
                            weights,
                            panelBytes,
                            blocks,
                            x,
                            from,
                            starts,
                            start,
                            side,
                            tileRows,
                            sums,
                            out,
                            stride);
                }
            }
        }
    }
}
