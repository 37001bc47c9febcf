package io.prism.decode;

import io.prism.config.PrismConfig;
import io.prism.kernels.Kernels;
import io.prism.spi.Drafter;
import io.prism.spi.HiddenStateRequest;
import io.prism.spi.TargetModel;
import java.util.Optional;

/**
 * Decodes with a target and, where it pays, a drafter. One per loaded model; thread-safe: any number of sessions may
 * generate at once.
 *
 * <p><b>Lossless.</b> The text equals that of plain decoding through the same target, bit for bit, at temperature 0
 * and, for the same seed, above it. See {@link io.prism.verify.Verifier}.
 */
public final class SpeculativeDecoder implements AutoCloseable {
    private final TargetModel target;
    private final Optional<Drafter> drafter;
    private final Kernels kernels;
    private final PrismConfig config;

    /**
     * Takes a loaded model into use. Closing the decoder closes the drafter, but neither target nor kernels.
     *
     * @param drafter what proposes; empty for plain decoding
     */
    public SpeculativeDecoder(TargetModel target, Optional<Drafter> drafter, Kernels kernels, PrismConfig config) {
        this.target = target;
        this.drafter = drafter;
        this.kernels = kernels;
        this.config = config;
    }

    /** Opens a conversation with an empty history. */
    public DecodingSession openSession() {
        HiddenStateRequest states = drafter.map(Drafter::hiddenStates).orElse(HiddenStateRequest.NONE);
        return new DecodingSession(target.openSession(states), target.description(), kernels, config);
    }

    /** Releases the drafter; sessions must be closed first. */
    @Override
    public void close() {
        drafter.ifPresent(Drafter::close);
    }
}
