package io.prism.spi;

/** Proposes continuations for one target. Thread-safe; sessions are independent of each other. */
public interface Drafter extends AutoCloseable {

    /** For people and reports, for instance {@code ngram}. */
    String name();

    /** The hidden states {@link DraftSession#accept} needs. */
    HiddenStateRequest hiddenStates();

    DraftSession openSession();

    @Override
    void close();
}
