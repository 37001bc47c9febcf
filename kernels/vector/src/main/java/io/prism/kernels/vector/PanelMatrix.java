package io.prism.kernels.vector;

import io.prism.kernels.Matrix;
import io.prism.kernels.PackedMatrix;
import io.prism.kernels.Packing;
import io.prism.kernels.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Weights copied into panels (see {@link PanelLayout}) in native memory of their own. */
final class PanelMatrix implements PackedMatrix {
    private final Precision precision;
    private final boolean rounded;
    private final int rows;
    private final int columns;
    private final Arena arena;
    private final MemorySegment panels;

    /**
     * Reserves memory for stacked matrices of the same columns and precision.
     *
     * @param packing {@link Packing#PANELS} or {@link Packing#ROUNDED_PANELS}
     */
    PanelMatrix(List<Matrix> stacked, Packing packing) {
        this(
                stacked.getFirst().precision(),
                stacked.stream().mapToInt(Matrix::rows).reduce(0, Math::addExact),
                stacked.getFirst().columns(),
                packing);
    }

    /** Reserves memory for a matrix. */
    @SuppressWarnings("MustBeClosedChecker") // closed by close()
    PanelMatrix(Precision precision, int rows, int columns, Packing packing) {
        this.precision = precision;
        this.rounded = packing == Packing.ROUNDED_PANELS && precision == Precision.Q4;
        this.rows = rows;
        this.columns = columns;
        arena = Arena.ofShared();
        long bytes = panels() * panelBytes();
        panels = HugePages.allocate(arena, bytes, PanelLayout.STEP_BYTES);
    }

    @Override
    public int rows() {
        return rows;
    }

    @Override
    public int columns() {
        return columns;
    }

    @Override
    public Precision precision() {
        return precision;
    }

    @Override
    public long ownBytes() {
        return panels.byteSize();
    }

    @Override
    public long streamedBytes() {
        return panels.byteSize();
    }

    /** Whether activations are rounded for this matrix, and its fields laid out for {@link RoundedQ4Tiles}. */
    boolean isRounded() {
        return rounded;
    }

    /** The panels, one after the other. */
    MemorySegment segment() {
        return panels;
    }

    /** Number of panels that hold outputs. */
    int usedPanels() {
        return (rows + PanelLayout.WIDTH - 1) / PanelLayout.WIDTH;
    }

    /** Number of panels, with those of zeros that fill the last set, however many a set has. */
    int panels() {
        int panels = 0;
        for (int side = 2; side <= PanelLayout.MOST_SIDE; side++) {
            panels = Math.max(panels, (usedPanels() + side - 1) / side * side);
        }
        return panels;
    }

    /** Bytes from a panel to the next. */
    long panelBytes() {
        return PanelLayout.panelBytes(precision, columns);
    }

    @Override
    public void close() {
        arena.close();
    }
}
