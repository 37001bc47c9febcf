package io.prism.jlama.target;

import io.prism.kernels.ArgmaxMatrix;
import io.prism.kernels.Kernels;
import org.jspecify.annotations.Nullable;

/**
 * The head of a model for passes whose rows' tokens are all that is wanted. Thread-safe.
 *
 * <p>Searches in vain, for rows whose best tokens are too many and too close, cost more than they save: while they are frequent,
 * few are tried.
 */
final class SearchedHead implements AutoCloseable {
    /** Share of the last search in {@link #failures}. */
    private static final float STEP = 1f / 16;

    /** What a pass without a search takes off {@link #failures}, so that one is tried again. */
    private static final float FORGETTING = 1f / 1024;

    private static final float MOST_FAILURES = 0.3f;

    private final Kernels kernels;
    private final ArgmaxMatrix matrix;

    /** Share of late searches that were in vain; threads may overwrite each other's, which does no harm. */
    private volatile float failures;

    SearchedHead(Kernels kernels, ArgmaxMatrix matrix) {
        this.kernels = kernels;
        this.matrix = matrix;
    }

    /** Whether a search of so many rows is worth trying now; one that is must follow. */
    boolean isWorthwhile(int rows) {
        if (rows > matrix.mostRows()) {
            return false;
        }
        float before = failures;
        if (before > MOST_FAILURES) {
            failures = before - FORGETTING;
            return false;
        }
        return true;
    }

    /**
     * Finds the tokens with the largest logits, the lowest among equals.
     *
     * @param states after the final norm, [rows, hidden]
     * @param noise added to the logits, [rows, vocabulary]; null for none
     * @param tokens receives [rows]
     * @return false if the logits have to be computed to tell
     */
    boolean find(float[] states, int rows, float @Nullable [] noise, int[] tokens) {
        float before = failures;
        boolean found = kernels.argmaxOfProduct(matrix, states, 0, rows, noise, tokens);
        failures = before + STEP * ((found ? 0 : 1) - before);
        return found;
    }

    /** The most rows of a search. */
    int mostRows() {
        return matrix.mostRows();
    }

    /** Bytes of memory it takes besides the head. */
    long ownBytes() {
        return matrix.ownBytes();
    }

    @Override
    public void close() {
        matrix.close();
    }
}
