package io.prism.spi;

import java.nio.file.Path;

/** Offers a kind of drafter; found with {@link java.util.ServiceLoader}. */
public interface DrafterProvider {

    /** Name in configuration, for instance {@code ngram}. */
    String name();

    /**
     * Whether this provider can open {@code drafter} for this target. Must not throw: a folder that is this provider's
     * kind but damaged is supported, and {@link #open} then says what is wrong.
     *
     * @param drafter a folder with weights, or a path that is just this provider's {@link #name()}
     */
    boolean supports(Path drafter, TargetDescription target);

    /**
     * Opens a drafter.
     *
     * @throws PrismException if it is damaged or made for another target
     */
    Drafter open(Path drafter, TargetModel target);

    /**
     * Opens a drafter that may compute with kernels of its own choice, besides the target's.
     *
     * @param kernels what configuration names: an accelerator of that name must then be used
     * @throws PrismException if it is damaged or made for another target, or what was named can't run it
     */
    default Drafter open(Path drafter, TargetModel target, String kernels) {
        return open(drafter, target);
    }
}
