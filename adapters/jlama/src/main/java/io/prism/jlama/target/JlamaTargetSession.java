package io.prism.jlama.target;

import io.prism.kernels.AttentionLayout;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.Kernels;
import io.prism.kernels.KvCache;
import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import io.prism.spi.PrismException;
import io.prism.spi.TargetSession;
import io.prism.tree.TokenTree;
import java.util.Arrays;

/** A conversation with a {@link JlamaTarget}. Allocates only when it grows: a warm pass allocates nothing. */
final class JlamaTargetSession implements TargetSession {
    private final DecoderWeights weights;
    private final KvCache cache;
    private final DecoderPass pass;
    private final AttentionLayout layout = new AttentionLayout();
    private int length;

    private int[] treeTokens = new int[16];
    private int[] treeParents = new int[16];
    private int treeSize;
    private boolean closed;

    JlamaTargetSession(Kernels kernels, DecoderWeights weights, HiddenStateRequest hiddenStates) {
        this.weights = weights;
        AttentionShape shape = weights.attention();
        // Rows of a tree take slots of their own even where their positions coincide.
        this.cache = new KvCache(
                weights.layers().size(),
                shape.kvHeads(),
                shape.headSize(),
                weights.contextLength() + JlamaTarget.MAX_ROWS);
        this.pass = new DecoderPass(kernels, weights, hiddenStates);
    }

    @Override
    public int length() {
        return length;
    }

    @Override
    public int capacity() {
        return weights.contextLength();
    }

    @Override
    public PassOutput prefill(int[] tokens, int offset, int count) {
        checkOpen();
        if (count < 1 || offset < 0 || offset > tokens.length - count) {
            throw new IllegalArgumentException("Prefill of " + count + " tokens from " + offset + " of " + tokens.length
                    + ": expected at least 1");
        }
        if (count > capacity() - length) {
            throw new PrismException("Prompt of " + count + " tokens after " + length
                    + " does not fit: the model's context is " + capacity() + " tokens. Shorten the prompt");
        }
        checkTokens(tokens, offset, count);
        treeSize = 0;
        cache.ensure(length + count);
        pass.begin(count, 1);
        for (int done = 0; done < count; ) {
            int rows = Math.min(JlamaTarget.MAX_ROWS, count - done);
            layout.clear();
            layout.addSequence(cache, length + done, rows);
            boolean last = done + rows == count;
            pass.run(tokens, offset + done, layout, last ? 1 : 0);
            done += rows;
        }
        length += count;
        return pass;
    }

    @Override
    public PassOutput verify(TokenTree tree) {
        checkOpen();
        int nodes = tree.size();
        if (nodes > JlamaTarget.MAX_ROWS) {
            throw new PrismException(
                    "Token tree of " + nodes + " nodes: this target takes at most " + JlamaTarget.MAX_ROWS);
        }
        if (nodes > treeTokens.length) {
            int size = Math.max(nodes, 2 * treeTokens.length);
            treeTokens = new int[size];
            treeParents = new int[size];
        }
        treeSize = 0;
        int deepest = 0;
        for (int node = 0; node < nodes; node++) {
            treeTokens[node] = tree.token(node);
            deepest = Math.max(deepest, tree.depth(node));
        }
        tree.copyParents(treeParents);
        if (length + deepest >= capacity()) {
            throw new PrismException("Token tree of depth " + deepest + " after " + length
                    + " tokens does not fit: the model's context is " + capacity() + " tokens");
        }
        checkTokens(treeTokens, 0, nodes);
        cache.ensure(length + nodes);
        layout.clear();
        layout.addTree(cache, length, treeParents, nodes);
        pass.begin(nodes, nodes);
        pass.run(treeTokens, 0, layout, nodes);
        treeSize = nodes;
        return pass;
    }

    @Override
    public void commit(int[] path, int count) {
        checkOpen();
        if (treeSize == 0) {
            throw new IllegalStateException("No token tree has been verified since the last commit");
        }
        if (count < 1 || count > path.length || path[0] != 0) {
            throw new IllegalArgumentException(
                    "Path " + Arrays.toString(path) + " of " + count + " nodes: expected to begin at the root, 0");
        }
        for (int i = 1; i < count; i++) {
            if (path[i] <= 0 || path[i] >= treeSize || treeParents[path[i]] != path[i - 1]) {
                throw new IllegalArgumentException("Path " + Arrays.toString(path) + ": node " + path[i]
                        + " is not a child of node " + path[i - 1] + " in the tree verified");
            }
        }
        // Parents precede children, so a node never moves up to a slot that is still to be read.
        for (int i = 1; i < count; i++) {
            cache.copySlot(length + path[i], length + i);
        }
        length += count;
        treeSize = 0;
    }

    @Override
    public void truncate(int newLength) {
        checkOpen();
        if (newLength < 0 || newLength > length) {
            throw new IllegalArgumentException("Truncation to " + newLength + " of " + length + " tokens");
        }
        length = newLength;
        treeSize = 0;
    }

    @Override
    public long kvBytes() {
        return closed ? 0 : cache.bytes();
    }

    @Override
    public void close() {
        closed = true;
        layout.clear();
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("The session is closed");
        }
    }

    private void checkTokens(int[] tokens, int offset, int count) {
        for (int i = offset; i < offset + count; i++) {
            if (tokens[i] < 0 || tokens[i] >= weights.vocabulary()) {
                throw new PrismException(
                        "Token " + tokens[i] + " is not in the vocabulary of " + weights.vocabulary() + " tokens");
            }
        }
    }
}
