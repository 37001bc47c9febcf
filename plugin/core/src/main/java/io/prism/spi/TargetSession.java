package io.prism.spi;

import io.prism.tree.TokenTree;

/**
 * One conversation with a target: its committed tokens and their KV cache. Not thread-safe.
 *
 * <p>A failed call leaves the committed tokens as they were.
 */
public interface TargetSession extends AutoCloseable {

    /** Number of committed tokens. */
    int length();

    /** The most tokens that can be committed, at most the target's context length. */
    int capacity();

    /**
     * Runs and commits consecutive tokens.
     *
     * @return logits of the last row; hidden states of all rows
     * @throws PrismException if they don't fit
     */
    PassOutput prefill(int[] tokens, int offset, int count);

    /**
     * Says what later passes are for. A new session gives logits. Where only tokens are expected, {@link PassOutput#token} may,
     * but need not, take the place of logits.
     */
    default void expect(ExpectedOutput expected) {}

    /**
     * Runs a token tree after the committed tokens in one pass, committing nothing. The root is the last sampled token,
     * which is not committed yet.
     *
     * @return logits and hidden states of every node
     * @throws PrismException if the tree has more rows than the target takes, or does not fit
     */
    PassOutput verify(TokenTree tree);

    /**
     * Commits nodes of the tree just verified.
     *
     * @param path nodes from the root (0) downwards, each the child of the one before
     * @param count how many entries of {@code path} count, at least 1
     */
    void commit(int[] path, int count);

    /** Forgets all committed tokens from {@code length} on. */
    void truncate(int length);

    /** Bytes of KV cache held now. */
    long kvBytes();

    @Override
    void close();
}
