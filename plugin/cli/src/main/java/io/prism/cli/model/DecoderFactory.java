package io.prism.cli.model;

import io.prism.config.PrismConfig;
import io.prism.decode.SpeculativeDecoder;
import io.prism.drafter.DrafterSelection;
import io.prism.spi.HostedModel;
import java.util.Optional;

/** Opens decoders over one loaded model. */
public record DecoderFactory(HostedModel model) {

    /** Decodes plainly through the same forward pass that speculation uses. */
    public SpeculativeDecoder plain(PrismConfig config) {
        return new SpeculativeDecoder(model.target(), Optional.empty(), model.kernels(), config);
    }

    /**
     * Decodes with the drafter that configuration asks for.
     *
     * @throws io.prism.spi.PrismException if the drafter is missing, damaged or made for another target
     */
    public SpeculativeDecoder speculative(PrismConfig config) {
        DrafterSelection selection = DrafterSelection.open(config, Optional.of(model.folder()), model.target());
        return new SpeculativeDecoder(model.target(), selection.drafter(), model.kernels(), config);
    }
}
