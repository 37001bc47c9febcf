package io.prism.spi;

import io.prism.tree.DraftBudget;
import io.prism.tree.TokenTree;

/**
 * A drafter's side of one conversation. Not thread-safe. It shares the target's notion of history: it is told of every
 * committed token, once and in order, and of every truncation.
 */
public interface DraftSession extends AutoCloseable {

    /**
     * Tokens were committed by the target.
     *
     * @param output the pass that committed them
     * @param rows for each token, its row in {@code output}
     */
    void accept(int[] tokens, int[] rows, int count, PassOutput output);

    /** All committed tokens from {@code length} on were forgotten by the target. */
    void truncate(int length);

    /**
     * Adds continuations to a tree that holds only its root, the last sampled token (not committed yet).
     *
     * @param budget the most nodes and depth worth proposing now
     */
    void propose(TokenTree tree, DraftBudget budget);

    @Override
    void close();
}
