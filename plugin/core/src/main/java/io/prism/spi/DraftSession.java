package io.prism.spi;

import io.prism.tree.DraftBudget;
import io.prism.tree.TokenTree;
import org.jspecify.annotations.Nullable;

/**
 * A drafter's side of one conversation. Not thread-safe. It shares the target's notion of history: it is told of every
 * committed token, once and in order, and of every truncation, in time for the next proposal (rounds without one may be
 * told of together).
 *
 * <p>Whatever it throws costs speed only: the round becomes a plain one. A session that failed in {@link #accept} or
 * {@link #truncate}, or failed to propose several times in a row, is closed and not used again.
 */
public interface DraftSession extends AutoCloseable {

    /**
     * Tokens were committed by the target.
     *
     * @param output hidden states of the pass that committed them; it may hold no logits
     * @param rows for each token, its row in {@code output}
     */
    void accept(int[] tokens, int[] rows, int count, PassOutput output);

    /** All committed tokens from {@code length} on were forgotten by the target. */
    void truncate(int length);

    /**
     * How the target draws tokens from now on, told before each proposal. A drafter may ignore it.
     *
     * @param draw null if it takes the most probable token
     */
    default void drawBy(@Nullable TokenDraw draw) {}

    /**
     * Adds continuations to a tree that holds only its root, the last sampled token (not committed yet): tokens of the
     * vocabulary, no two equal children of a node. Adding none is a plain round.
     *
     * @param budget the most nodes and depth worth proposing now; more is an error
     */
    void propose(TokenTree tree, DraftBudget budget);

    /**
     * Whether, since this was last asked, an accelerator failed and the session went on without it; such rounds are
     * counted.
     */
    default boolean fellBack() {
        return false;
    }

    @Override
    void close();
}
