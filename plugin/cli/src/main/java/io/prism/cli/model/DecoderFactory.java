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
        return open(Optional.empty(), Optional.empty(), config);
    }

    /** As {@link #speculative(PrismConfig, Optional)}, under the name of the drafter's kind. */
    public Contender.Ours speculative(PrismConfig config) {
        return speculative(config, Optional.empty());
    }

    /**
     * Decodes with the drafter that configuration asks for.
     *
     * @param name for reports; empty for the name of its kind
     * @throws io.prism.spi.PrismException if the drafter is missing, damaged or made for another target
     */
    public Contender.Ours speculative(PrismConfig config, Optional<String> name) {
        DrafterSelection selection = DrafterSelection.open(config, Optional.of(model.folder()), model.target());
        selection.notes().forEach(note -> LOG.warn("{}", note));
        return open(selection.drafter(), name, config);
    }

    private Contender.Ours open(Optional<Drafter> drafter, Optional<String> name, PrismConfig config) {
        return new Contender.Ours(
                model,
                new SpeculativeDecoder(model.target(), drafter, model.kernels(), config),
                drafter.map(it -> name.orElse(it.name())).orElse(PrismConfig.NO_DRAFTER),
                drafter.isPresent() ? config.tree().toString() : "");
    }
}
