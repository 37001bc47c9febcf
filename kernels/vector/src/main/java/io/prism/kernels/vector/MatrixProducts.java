package io.prism.kernels.vector;

import io.prism.kernels.Matrix;
import io.prism.kernels.PackedMatrix;
import io.prism.kernels.Packing;
import java.util.List;

/** Packs matrices and multiplies by them, on the team where the work is worth a hand-off. */
final class MatrixProducts {
    /**
     * Work, in bytes streamed, below which a product stays on the caller's thread. A thread streams 35 bytes and
     * multiplies 105 weights by a row in a nanosecond (AMD Zen 5, 2026-11), so a row counts a third of a byte a weight.
     */
    static final long LEAST_SHARED_BYTES = 2L << 20;

    private static final int WEIGHT_ROWS_PER_BYTE = 3;

    private final WorkerTeam team;
    private final TileWarmUp warmUp = new TileWarmUp();
    private final Pool<PanelProduct> panelProducts = new Pool<>(PanelProduct::new);
    private final Pool<RowProduct> rowProducts = new Pool<>(RowProduct::new);

    MatrixProducts(WorkerTeam team) {
        this.team = team;
    }

    PackedMatrix pack(List<Matrix> stacked, Packing packing) {
        requireAlike(stacked);
        if (packing == Packing.IN_PLACE) {
            MixedProfiles.await();
            return new RowMatrix(stacked);
        }
        warmUp.begin(stacked.getFirst().precision(), packing);
        PanelMatrix packed = new PanelMatrix(stacked, packing);
        team.runAll(new PackTask(stacked, packed), packed.panels(), true);
        MixedProfiles.await(); // after the copying, which takes longer for models of any size
        return packed;
    }

    private static void requireAlike(List<Matrix> stacked) {
        if (stacked.isEmpty()) {
            throw new IllegalArgumentException("Nothing to pack: expected at least one matrix");
        }
        Matrix first = stacked.getFirst();
        for (Matrix matrix : stacked) {
            if (matrix.columns() != first.columns() || matrix.precision() != first.precision()) {
                throw new IllegalArgumentException("Can't stack a %s matrix of %d columns on a %s matrix of %d columns"
                        .formatted(matrix.precision(), matrix.columns(), first.precision(), first.columns()));
            }
        }
    }

    void multiply(PackedMatrix w, float[] x, int xOffset, int rows, float[] y, int yOffset) {
        boolean share = isWorthSharing(w, rows);
        switch (w) {
            case PanelMatrix panels -> {
                PanelProduct product = panelProducts.take();
                product.begin(panels, x, xOffset, rows, y, yOffset, team.threads());
                try {
                    int tiles = product.preparationChunks();
                    team.runAll(product.preparation(), tiles, share && tiles > 1);
                    team.runAll(product, product.chunks(), share);
                } finally {
                    product.end();
                    panelProducts.give(product);
                }
            }
            case RowMatrix inPlace -> {
                RowProduct product = rowProducts.take();
                product.begin(inPlace, x, xOffset, rows, y, yOffset, team.threads());
                try {
                    team.runAll(product, product.chunks(), share);
                } finally {
                    product.end();
                    rowProducts.give(product);
                }
            }
            default ->
                throw new IllegalArgumentException("A matrix of " + w.getClass().getName()
                        + " was packed by other kernels: expected one packed by these");
        }
    }

    /** Some outputs of a row, bit for bit what {@link #multiply} gives: {@code outputs[i]} goes to {@code y[i]}. */
    void multiply(PanelMatrix w, float[] x, int xOffset, int[] outputs, int count, float[] y) {
        PanelProduct product = panelProducts.take();
        product.begin(w, x, xOffset, 1, y, 0, team.threads());
        try {
            team.runAll(product.preparation(), product.preparationChunks(), false);
            team.runAll(product.singles(outputs), count, count * product.setBytes() >= LEAST_SHARED_BYTES);
        } finally {
            product.end();
            panelProducts.give(product);
        }
    }

    /** Has the tiles compiled that multiply by a matrix. */
    void warm(PanelMatrix matrix) {
        warmUp.begin(matrix.precision(), matrix.isRounded() ? Packing.ROUNDED_PANELS : Packing.PANELS);
    }

    private static boolean isWorthSharing(PackedMatrix w, int rows) {
        long weightRows = (long) w.rows() * w.columns() * rows;
        return Math.max(w.streamedBytes(), weightRows / WEIGHT_ROWS_PER_BYTE) >= LEAST_SHARED_BYTES;
    }
}
