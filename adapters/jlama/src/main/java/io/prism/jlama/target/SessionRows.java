package io.prism.jlama.target;

import io.prism.kernels.AttentionLayout;
import io.prism.kernels.KvCache;
import org.jspecify.annotations.Nullable;

/** The rows that a session puts into a batch: consecutive tokens or a token tree. Reused; not thread-safe. */
final class SessionRows {
    private static final int[] NONE = {};

    private final KvCache cache;
    private final SessionOutput output;
    private int[] tokens = NONE;
    private int offset;
    private int count;
    private int logitsRows;
    private int length;
    private int @Nullable [] parents;

    SessionRows(KvCache cache, SessionOutput output) {
        this.cache = cache;
        this.output = output;
    }

    /**
     * Consecutive tokens.
     *
     * @param committed tokens before them
     * @param withLogits whether the last row gets logits
     */
    void sequence(int[] of, int from, int rows, int committed, boolean withLogits) {
        tokens = of;
        offset = from;
        count = rows;
        length = committed;
        parents = null;
        logitsRows = withLogits ? 1 : 0;
    }

    /**
     * A token tree, whose nodes all get logits.
     *
     * @param parentOf see {@link AttentionLayout#addTree}
     * @param committed tokens before it
     */
    void tree(int[] of, int[] parentOf, int nodes, int committed) {
        tokens = of;
        offset = 0;
        count = nodes;
        length = committed;
        parents = parentOf;
        logitsRows = nodes;
    }

    int count() {
        return count;
    }

    int token(int row) {
        return tokens[offset + row];
    }

    /** Index in the sequence of a row's token, from 0. */
    int position(int row) {
        int depth = row;
        if (parents != null) {
            depth = 0;
            for (int node = row; node > 0; node = parents[node]) {
                depth++;
            }
        }
        return length + depth;
    }

    /** How many of the rows, the last ones, get logits: none, one or all. */
    int logitsRows() {
        return logitsRows;
    }

    SessionOutput output() {
        return output;
    }

    void addTo(AttentionLayout layout) {
        if (parents == null) {
            layout.addSequence(cache, length, count);
        } else {
            layout.addTree(cache, length, parents, count);
        }
    }

    /** Adds the rows with logits only. */
    void addLogitsRowsTo(AttentionLayout layout) {
        if (logitsRows == count) {
            addTo(layout);
        } else if (logitsRows > 0) {
            layout.addSequence(cache, length + count - logitsRows, logitsRows);
        }
    }
}
