package io.prism.kernels.vector;

import io.prism.kernels.ArgmaxMatrix;
import io.prism.kernels.Matrix;
import io.prism.kernels.PackedMatrix;
import io.prism.kernels.Precision;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Largest outputs of products without reading all weights: a {@link ScreenedMatrix} says which outputs may be the largest,
 * usually a few, and only these are computed from the weights themselves.
 */
final class ArgmaxProducts {
    /** Weights that may stay in a cache between two tokens are read faster than a copy of them is decoded. */
    private static final long LEAST_BYTES = 32L << 20;

    private final WorkerTeam team;
    private final MatrixProducts products;
    private final long leastBytes;
    private final Pool<ArgmaxSearch> searches = new Pool<>(ArgmaxSearch::new);

    ArgmaxProducts(WorkerTeam team, MatrixProducts products) {
        this(team, products, LEAST_BYTES);
    }

    /** @param leastBytes of weights that are worth a copy */
    ArgmaxProducts(WorkerTeam team, MatrixProducts products, long leastBytes) {
        this.team = team;
        this.products = products;
        this.leastBytes = leastBytes;
    }

    Optional<ArgmaxMatrix> pack(PackedMatrix packed, Matrix source) {
        if (packed.rows() != source.rows()
                || packed.columns() != source.columns()
                || packed.precision() != source.precision()) {
            throw new IllegalArgumentException("A packed %s matrix of %d x %d was not made of a %s matrix of %d x %d"
                    .formatted(
                            packed.precision(),
                            packed.rows(),
                            packed.columns(),
                            source.precision(),
                            source.rows(),
                            source.columns()));
        }
        boolean pays = !source.precision().isQuantized()
                && source.columns() % Precision.BLOCK == 0
                && packed.streamedBytes() >= leastBytes;
        return pays && packed instanceof PanelMatrix panels ? Optional.of(screen(panels, source)) : Optional.empty();
    }

    private ScreenedMatrix screen(PanelMatrix panels, Matrix source) {
        ScreenedMatrix screened = new ScreenedMatrix(panels);
        try {
            products.warm(screened.copy());
            team.runAll(new ScreeningTask(source, screened), panels.usedPanels(), true);
        } catch (Throwable e) {
            screened.close();
            throw e;
        }
        return screened;
    }

    boolean find(ArgmaxMatrix w, float[] x, int xOffset, int rows, float @Nullable [] added, int[] indices) {
        if (!(w instanceof ScreenedMatrix screened)) {
            throw new IllegalArgumentException("A matrix of " + w.getClass().getName()
                    + " was packed by other kernels: expected one packed by these");
        }
        ArgmaxSearch search = searches.take();
        try {
            return find(screened, x, xOffset, rows, added, indices, search);
        } finally {
            search.end();
            searches.give(search);
        }
    }

    private boolean find(
            ScreenedMatrix w,
            float[] x,
            int xOffset,
            int rows,
            float @Nullable [] added,
            int[] indices,
            ArgmaxSearch search) {
        int inputs = w.exact().columns();
        search.reserve(rows, w.exact().rows());
        if (!search.begin(x, xOffset, rows, inputs, w.margins(), added)) {
            return false;
        }
        products.multiply(w.copy(), x, xOffset, rows, search.estimates(), 0);
        team.runAll(search, rows, rows > 1);
        for (int row = 0; row < rows; row++) {
            if (search.count(row) == ArgmaxSearch.TOO_MANY) {
                return false;
            }
        }
        for (int row = 0; row < rows; row++) {
            int from = xOffset + row * inputs;
            products.multiply(w.exact(), x, from, search.candidates(row), search.count(row), search.values());
            indices[row] = search.largest(row);
            if (indices[row] < 0) {
                return false;
            }
        }
        return true;
    }
}
