package io.prism.spi;

import java.util.List;
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

    /**
     * The most rows of a pass that {@link #runTogether} shares among sessions; 0 if sessions of this target can't share
     * a pass, and there is nothing to gain from having them wait for each other.
     */
    default int maxJointRows() {
        return 0;
    }

    /** Whether passes cost less in sessions that {@linkplain TargetSession#expect expect} tokens only. */
    default boolean findsTokens() {
        return false;
    }

    /**
     * How many passes are worth running at once, if sessions can share them: 1 where a pass keeps all threads busy, as
     * another would only take them away.
     */
    default int concurrentPasses() {
        return 1;
    }

    /**
     * Runs passes of several sessions as one, which reads the weights once. Each session's result is bit for bit that of
     * its own call. The sessions are used by no one else meanwhile.
     *
     * @param requests of different sessions of this target, at most {@link #maxJointRows} rows together
     * @return what each session's own call would return, in order
     * @throws RuntimeException if one of them can't be done, or all; then all committed tokens are as they were
     */
    default List<PassOutput> runTogether(List<PassRequest> requests) {
        throw new UnsupportedOperationException("Sessions of this target can't share a pass");
    }

    /** Bytes of KV cache that a token of a session takes; 0 if unknown. */
    default long kvBytesPerToken() {
        return 0;
    }

    /** Opens a session with no tokens. */
    TargetSession openSession(HiddenStateRequest hiddenStates);

    /** Releases memory of the model; sessions must be closed first. */
    @Override
    void close();
}
