package io.prism.cli.testing;

import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import io.prism.spi.TargetDescription;
import io.prism.spi.TargetModel;
import io.prism.spi.TargetSession;
import io.prism.tree.TokenTree;

/** After a letter comes the next one, after z and anything else a. */
final class AlphabetTarget implements TargetModel {
    static final int CONTEXT = 512;
    private static final int VOCABULARY = 128;
    private static final int MOST_ROWS = 64;
    private static final float CERTAIN = 10;

    static int next(int token) {
        return token >= 'a' && token < 'z' ? token + 1 : 'a';
    }

    @Override
    public TargetDescription description() {
        return new TargetDescription("FAKE", 1, VOCABULARY, 1, CONTEXT, "alphabet");
    }

    @Override
    public String engine() {
        return "fake engine";
    }

    @Override
    public int maxTreeRows() {
        return MOST_ROWS;
    }

    @Override
    public boolean verifiesTrees() {
        return true;
    }

    @Override
    public TargetSession openSession(HiddenStateRequest hiddenStates) {
        return new Session();
    }

    @Override
    public void close() {}

    private static final class Session implements TargetSession {
        private int length;

        @Override
        public int length() {
            return length;
        }

        @Override
        public int capacity() {
            return CONTEXT;
        }

        @Override
        public PassOutput prefill(int[] tokens, int offset, int count) {
            length += count;
            Rows rows = new Rows(count);
            for (int row = 0; row < count; row++) {
                rows.set(row, next(tokens[offset + row]));
            }
            return rows;
        }

        @Override
        public PassOutput verify(TokenTree tree) {
            Rows rows = new Rows(tree.size());
            for (int node = 0; node < tree.size(); node++) {
                rows.set(node, next(tree.token(node)));
            }
            return rows;
        }

        @Override
        public void commit(int[] path, int count) {
            length += count;
        }

        @Override
        public void truncate(int newLength) {
            length = newLength;
        }

        @Override
        public long kvBytes() {
            return 0;
        }

        @Override
        public void close() {}
    }

    private static final class Rows implements PassOutput {
        private final int rows;
        private final float[] logits;

        Rows(int rows) {
            this.rows = rows;
            this.logits = new float[rows * VOCABULARY];
        }

        void set(int row, int token) {
            logits[row * VOCABULARY + token] = CERTAIN;
        }

        @Override
        public int rows() {
            return rows;
        }

        @Override
        public float[] logits() {
            return logits;
        }

        @Override
        public int logitsOffset(int row) {
            return row * VOCABULARY;
        }

        @Override
        public float[] hiddenStates() {
            throw new IllegalStateException("not asked for");
        }

        @Override
        public float[] layerStates(int index) {
            throw new IllegalStateException("not asked for");
        }
    }
}
