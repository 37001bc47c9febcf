package io.prism.spi;

import io.prism.tree.TokenTree;

/** One session's part of a pass over rows of several sessions: see {@link TargetModel#runTogether}. */
public sealed interface PassRequest {

    TargetSession session();

    /** Rows it puts into the pass. */
    int rows();

    /** Does the same in a pass of its own. */
    PassOutput runAlone();

    /** What {@link TargetSession#prefill} does. */
    @SuppressWarnings("ArrayRecordComponent") // read only
    record Prefill(TargetSession session, int[] tokens, int offset, int count) implements PassRequest {
        @Override
        public int rows() {
            return count;
        }

        @Override
        public PassOutput runAlone() {
            return session.prefill(tokens, offset, count);
        }
    }

    /** What {@link TargetSession#verify} does. */
    record Verify(TargetSession session, TokenTree tree) implements PassRequest {
        @Override
        public int rows() {
            return tree.size();
        }

        @Override
        public PassOutput runAlone() {
            return session.verify(tree);
        }
    }
}
