package io.prism.cli.model;

import io.prism.config.PrismConfig;
import io.prism.decode.SpeculativeDecoder;
import io.prism.drafter.DrafterSelection;
import io.prism.spi.Drafter;
import io.prism.spi.HostedModel;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens ways of decoding one loaded model. */
public record DecoderFactory(HostedModel model) {
    private static final Logger LOG = LoggerFactory.getLogger(DecoderFactory.class);

    /** Decodes plainly through the same forward pass that speculation uses. */
    public Contender.Ours plain(PrismConfig config) {
        return open(Optional.empty(), config);
    }

    /**
     * Decodes with the drafter that configuration asks for.
     *
     * @throws io.prism.spi.PrismException if the drafter is missing, damaged or made for another target
     */
    public Contender.Ours speculative(PrismConfig config) {
        DrafterSelection selection = DrafterSelection.open(config, Optional.of(model.folder()), model.target());
        selection.notes().forEach(note -> LOG.warn("{}", note));
        return open(selection.drafter(), config);
    }

    private Contender.Ours open(Optional<Drafter> drafter, PrismConfig config) {
        return new Contender.Ours(
                model,
                new SpeculativeDecoder(model.target(), drafter, model.kernels(), config),
                drafter.map(Drafter::name).orElse(PrismConfig.NO_DRAFTER),
                drafter.isPresent() ? config.tree().toString() : "");
    }
}
