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
        panels = arena.allocate(bytes, bytes < HugePages.BYTES ? PanelLayout.STEP_BYTES : HugePages.BYTES);
        HugePages.advise(panels);
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

    /** Number of groups of panels. */
    int groups() {
        int outputs = PanelLayout.GROUP * PanelLayout.WIDTH;
        return (rows + outputs - 1) / outputs;
    }

    /** Number of panels, whole groups. */
    int panels() {
        return groups() * PanelLayout.GROUP;
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
