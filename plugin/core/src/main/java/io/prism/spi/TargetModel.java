package io.prism.spi;

import java.util.Optional;

/** The model whose text is wanted. Thread-safe; sessions are independent of each other. */
public interface TargetModel extends AutoCloseable {

    TargetDescription description();

    /** For people: what computes, for instance {@code "vector (512 bit, 2 threads), BF16, repacked"}. */
    String engine();

    /** The most rows {@link TargetSession#verify} takes; 1 means that only plain decoding is possible. */
    int maxTreeRows();

    /** Whether {@link TargetSession#verify} takes trees; if not, chains only. */
    boolean verifiesTrees();

    /**
     * Embedding, head and shapes for draft models that share them; empty if this target can't lend them, in which case
     * such drafters refuse it.
     */
    default Optional<SharedWeights> sharedWeights() {
        return Optional.empty();
    }

    /** Opens a session with no tokens. */
    TargetSession openSession(HiddenStateRequest hiddenStates);

    /** Releases memory of the model; sessions must be closed first. */
    @Override
    void close();
}
