package io.prism.kernels.vector;

import io.prism.kernels.Matrix;
import io.prism.kernels.PackedMatrix;
import io.prism.kernels.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Weights copied into panels (see {@link PanelLayout}) in native memory of their own. */
final class PanelMatrix implements PackedMatrix {
    private final Precision precision;
    private final int rows;
    private final int columns;
    private final Arena arena;
    private final MemorySegment panels;

    /** Reserves memory for stacked matrices of the same columns and precision. */
    @SuppressWarnings("MustBeClosedChecker") // closed by close()
    PanelMatrix(List<Matrix> stacked) {
        precision = stacked.getFirst().precision();
        columns = stacked.getFirst().columns();
        rows = stacked.stream().mapToInt(Matrix::rows).reduce(0, Math::addExact);
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

    /** The panels, one after the other. */
    MemorySegment segment() {
        return panels;
    }

    /** Number of panels that hold outputs. */
    int usedPanels() {
        return (rows + PanelLayout.WIDTH - 1) / PanelLayout.WIDTH;
    }

    /** Number of panels, with those of zeros that fill the last set of 2, 3 or 4. */
    int panels() {
        int used = usedPanels();
        return Math.max((used + 2) / 3 * 3, (used + 3) / 4 * 4);
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
