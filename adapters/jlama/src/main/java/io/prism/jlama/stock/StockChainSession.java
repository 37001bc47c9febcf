package io.prism.jlama.stock;

import com.github.tjake.jlama.tensor.AbstractTensor;
import com.github.tjake.jlama.tensor.KvBufferCache.KvBuffer;
import io.prism.spi.PassOutput;
import io.prism.spi.PrismException;
import io.prism.spi.TargetDescription;
import io.prism.spi.TargetSession;
import io.prism.tree.TokenTree;
import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A conversation with a {@link StockChainTarget}. Rejected tokens leave keys and values behind, which the next ones at
 * the same positions overwrite.
 */
final class StockChainSession implements TargetSession, PassOutput {
    private final StockForward forward;
    private final BatchSizes sizes;
    private final ReentrantLock lock;
    private final TargetDescription description;
    private final int capacity;
    private final boolean keepsStates;
    private final KvBuffer kv;

    private int length;
    private int chainLength;
    private boolean closed;

    private float[] logits = {};
    private float[] states = {};
    private int rows;
    private int firstLogitsRow;

    StockChainSession(
            StockForward forward,
            BatchSizes sizes,
            ReentrantLock lock,
            TargetDescription description,
            int capacity,
            boolean keepsStates) {
        this.forward = forward;
        this.sizes = sizes;
        this.lock = lock;
        this.description = description;
        this.capacity = capacity;
        this.keepsStates = keepsStates;
        this.kv = forward.newKvBuffer();
    }

    @Override
    public int length() {
        return length;
    }

    @Override
    public int capacity() {
        return capacity;
    }

    @Override
    public PassOutput prefill(int[] tokens, int offset, int count) {
        if (count < 1 || offset < 0 || offset > tokens.length - count) {
            throw new IllegalArgumentException("Prefill of " + count + " tokens from " + offset + " of " + tokens.length
                    + ": expected at least 1");
        }
        run(Arrays.copyOfRange(tokens, offset, offset + count), 1);
        length += count;
        return this;
    }

    @Override
    public PassOutput verify(TokenTree tree) {
        if (!tree.isChain() || tree.size() > sizes.largest()) {
            throw new PrismException(
                    "Token tree of " + tree.size() + " nodes" + (tree.isChain() ? "" : " with branches")
                            + ": this target takes chains of at most " + sizes.largest());
        }
        int[] tokens = new int[tree.size()];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = tree.token(i);
        }
        run(tokens, tokens.length);
        chainLength = tokens.length;
        return this;
    }

    /** Runs tokens after the committed ones, with logits of the last {@code logitsRows}. */
    private void run(int[] tokens, int logitsRows) {
        checkOpen();
        chainLength = 0;
        if (tokens.length > capacity - length) {
            throw new PrismException(tokens.length + " tokens after " + length + " do not fit: the model's context is "
                    + capacity + " tokens. Shorten the prompt");
        }
        for (int token : tokens) {
            if (token < 0 || token >= description.vocabularySize()) {
                throw new PrismException(
                        "Token " + token + " is not in the vocabulary of " + description.vocabularySize() + " tokens");
            }
        }
        rows = tokens.length;
        firstLogitsRow = rows - logitsRows;
        logits = grown(logits, logitsRows * description.vocabularySize());
        states = grown(states, keepsStates ? rows * description.hiddenSize() : 0);
        lock.lock();
        try {
            for (int done = 0; done < rows; ) {
                int size = sizes.atMost(rows - done);
                try (AbstractTensor<?, ?> output =
                        forward.run(Arrays.copyOfRange(tokens, done, done + size), length + done, kv)) {
                    read(output, done, size);
                }
                done += size;
            }
        } finally {
            lock.unlock();
        }
    }

    private void read(AbstractTensor<?, ?> output, int first, int size) {
        for (int i = 0; i < size; i++) {
            int row = first + i;
            if (row >= firstLogitsRow) {
                forward.logits(output, i, logits, logitsOffset(row));
            }
            if (keepsStates) {
                forward.finalNorm(output, i, states, row * description.hiddenSize());
            }
        }
    }

    @Override
    public void commit(int[] path, int count) {
        checkOpen();
        if (count < 1 || count > chainLength || count > path.length) {
            throw new IllegalArgumentException(
                    "Path of " + count + " nodes: expected 1 to " + chainLength + ", the chain last verified");
        }
        for (int i = 0; i < count; i++) {
            if (path[i] != i) {
                throw new IllegalArgumentException("Path " + Arrays.toString(path) + ": expected consecutive nodes");
            }
        }
        length += count;
        chainLength = 0;
    }

    @Override
    public void truncate(int newLength) {
        checkOpen();
        if (newLength < 0 || newLength > length) {
            throw new IllegalArgumentException("Truncation to " + newLength + " of " + length + " tokens");
        }
        length = newLength;
        chainLength = 0;
    }

    /** 0: the pages are Jlama's own, and it does not say how many there are. */
    @Override
    public long kvBytes() {
        return 0;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            kv.close();
        }
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
        if (row < firstLogitsRow || row >= rows) {
            throw new IndexOutOfBoundsException(
                    "Row " + row + " has no logits: only rows " + firstLogitsRow + " to " + (rows - 1) + " have");
        }
        return (row - firstLogitsRow) * description.vocabularySize();
    }

    @Override
    public float[] hiddenStates() {
        if (!keepsStates) {
            throw new IllegalStateException("The session was opened without hidden states after the final norm");
        }
        return states;
    }

    @Override
    public float[] layerStates(int index) {
        throw new IllegalStateException("The session was opened without states of inner layers");
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("The session is closed");
        }
    }

    private static float[] grown(float[] array, int needed) {
        return array.length >= needed ? array : new float[needed];
    }
}
