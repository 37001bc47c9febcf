package io.prism.kernels;

/** Offers {@link DraftEngine}s of an accelerator; found with {@link java.util.ServiceLoader}. */
public interface DraftEngineProvider {

    /** Name in configuration, for instance {@code cuda}. */
    String name();

    /** Whether this machine and JVM can run it. Never throws. */
    boolean isUsable();

    /** Why not, and what would make it usable, in one sentence; empty when {@link #isUsable()}. Never throws. */
    String unusableReason();

    /**
     * Copies weights to the accelerator.
     *
     * @throws IllegalStateException with the reason, if it is unusable, its memory does not suffice or it fails; nothing
     *     is left behind
     * @throws IllegalArgumentException if it can't run weights of this kind or shape
     */
    DraftEngine open(DraftWeights weights);
}
