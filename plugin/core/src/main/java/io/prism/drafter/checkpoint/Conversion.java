package io.prism.drafter.checkpoint;

import io.prism.kernels.Precision;
import java.util.Optional;

/**
 * What becomes of a checkpoint that is written anew.
 *
 * @param matrices precision of the matrices; empty to leave them as they are
 * @param allTokens whether to leave out a draft vocabulary, so that all of the target's tokens can be drafted
 * @param config what to write as its configuration: the checkpoint's own, bound to a target perhaps
 */
public record Conversion(Optional<Precision> matrices, boolean allTokens, DrafterConfig config) {

    /** Of matrices alone. */
    public Conversion(Precision matrices, DrafterConfig config) {
        this(Optional.of(matrices), false, config);
    }

    /** Of names and layout alone. */
    public Conversion(DrafterConfig config) {
        this(Optional.empty(), false, config);
    }
}
