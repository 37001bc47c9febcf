package io.prism.spi;

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

    @Override
    void close();
}
