package io.prism.kernels;

/** Offers {@link Kernels}; found with {@link java.util.ServiceLoader}. */
public interface KernelProvider {

    /** Name in configuration, for instance {@code vector}. */
    String name();

    /** Whether this machine and JVM can run it. Never throws. */
    boolean isUsable();

    /** Why not, and what would make it usable, in one sentence; empty when {@link #isUsable()}. Never throws. */
    String unusableReason();

    /** The usable provider of highest priority is taken unless configuration names one. */
    int priority();

    /**
     * Opens the kernels.
     *
     * @param threads threads to use, the caller's included; 0 for one per physical core
     * @throws IllegalStateException if {@link #isUsable()} is false
     */
    Kernels open(int threads);
}
