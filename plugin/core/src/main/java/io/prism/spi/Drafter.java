package io.prism.spi;

import java.util.List;

/** Proposes continuations for one target. Thread-safe; sessions are independent of each other. */
public interface Drafter extends AutoCloseable {

    /** For people and reports, for instance {@code ngram}. */
    String name();

    /** The hidden states {@link DraftSession#accept} needs. */
    HiddenStateRequest hiddenStates();

    DraftSession openSession();

    /**
     * Whether its sessions only compute, in memory, for a time bounded by their arguments, so that they may run on the
     * decoding thread. Otherwise each session runs on a thread of its own and is given up when a call takes too long,
     * at the price of a hand-off between threads for each call.
     */
    default boolean returnsPromptly() {
        return false;
    }

    /**
     * Whether {@link #proposeTogether} is faster than one proposal after the other, because the passes of a draft model
     * are shared. Only asked of drafters that {@linkplain #returnsPromptly return promptly}.
     */
    default boolean proposesTogether() {
        return false;
    }

    /**
     * Makes proposals for several sessions, each the one that {@link DraftSession#propose} would make. The sessions are
     * used by no one else meanwhile. If it throws, each session is asked by itself.
     */
    default void proposeTogether(List<DraftRequest> requests) {
        for (DraftRequest request : requests) {
            request.session().propose(request.tree(), request.budget());
        }
    }

    /** Memory that a session's own KV cache takes for each token of the history; 0 if it has none. */
    default long kvBytesPerToken() {
        return 0;
    }

    @Override
    void close();
}
