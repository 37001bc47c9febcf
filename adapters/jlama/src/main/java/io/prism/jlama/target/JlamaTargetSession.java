package io.prism.jlama.target;

import io.prism.kernels.AttentionShape;
import io.prism.kernels.KvCache;
import io.prism.spi.ExpectedOutput;
import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import io.prism.spi.PassRequest;
import io.prism.spi.PrismException;
import io.prism.spi.TargetSession;
import io.prism.tree.TokenTree;
import java.util.Arrays;
import java.util.List;

/** A conversation with a {@link JlamaTarget}. Allocates only when it grows: a warm pass allocates nothing. */
final class JlamaTargetSession implements TargetSession {
    private final DecoderWeights weights;
    private final PassPool passes;
    private final KvCache cache;
    private final SessionOutput output;
    private final SessionRows rows;
    private final List<SessionRows> alone;
    private int length;

    private int[] treeTokens = new int[16];
    private int[] treeParents = new int[16];
    private int treeSize;
    private boolean closed;

    JlamaTargetSession(DecoderWeights weights, PassPool passes, HiddenStateRequest hiddenStates) {
        this.weights = weights;
        this.passes = passes;
        AttentionShape shape = weights.attention();
        // Rows of a tree take slots of their own even where their positions coincide.
        this.cache = new KvCache(
                weights.layers().size(),
                shape.kvHeads(),
                shape.headSize(),
                weights.contextLength() + JlamaTarget.MAX_ROWS);
        this.output = new SessionOutput(weights, hiddenStates);
        this.rows = new SessionRows(cache, output);
        this.alone = List.of(rows);
    }

    boolean isOf(DecoderWeights others) {
        return weights == others;
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
        beginPrefill(tokens, offset, count);
        for (int done = 0; done < count; ) {
            int batch = Math.min(JlamaTarget.MAX_ROWS, count - done);
            rows.sequence(tokens, offset + done, batch, length + done, done + batch == count);
            passes.run(alone);
            done += batch;
        }
        length += count;
        return output;
    }

    @Override
    public void expect(ExpectedOutput expected) {
        output.expect(expected);
    }

    private void beginPrefill(int[] tokens, int offset, int count) {
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
        output.begin(count, 1);
    }

    @Override
    public PassOutput verify(TokenTree tree) {
        beginVerify(tree);
        passes.run(alone);
        treeSize = tree.size();
        return output;
    }

    private void beginVerify(TokenTree tree) {
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
        output.begin(nodes, nodes);
        rows.tree(treeTokens, treeParents, nodes, length);
    }

    /**
     * Prepares its part of a pass of several sessions; {@link #end} must follow when the pass has succeeded.
     *
     * @return what it puts into the batch
     */
    SessionRows begin(PassRequest request) {
        switch (request) {
            case PassRequest.Prefill prefill -> {
                beginPrefill(prefill.tokens(), prefill.offset(), prefill.count());
                rows.sequence(prefill.tokens(), prefill.offset(), prefill.count(), length, true);
            }
            case PassRequest.Verify verify -> beginVerify(verify.tree());
        }
        return rows;
    }

    PassOutput end(PassRequest request) {
        switch (request) {
            case PassRequest.Prefill prefill -> length += prefill.count();
            case PassRequest.Verify verify -> treeSize = verify.tree().size();
        }
        return output;
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
