package io.prism.drafter.prism;

import io.prism.drafter.check.SelfCheck;
import io.prism.drafter.checkpoint.Checkpoint;
import io.prism.spi.Drafter;
import io.prism.spi.DrafterProvider;
import io.prism.spi.TargetDescription;
import io.prism.spi.TargetModel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens folders with draft models: PRISM, EAGLE-1/2, HASS, EAGLE-3. */
public final class PrismDrafterProvider implements DrafterProvider {
    private static final Logger LOG = LoggerFactory.getLogger(PrismDrafterProvider.class);

    @Override
    public String name() {
        return "prism";
    }

    @Override
    public boolean supports(Path drafter, TargetDescription target) {
        return Files.isDirectory(drafter) && Checkpoint.isIn(drafter);
    }

    /** Opens a draft model on the target's kernels. */
    @Override
    public Drafter open(Path drafter, TargetModel target) {
        return open(drafter, target, DraftEngines.NONE);
    }

    @Override
    public Drafter open(Path drafter, TargetModel target, String kernels) {
        return open(drafter, target, DraftEngines.named(kernels));
    }

    /** Opens a draft model and lets it draft once, with a warning if nothing of it makes sense. */
    private static Drafter open(Path drafter, TargetModel target, DraftEngines engines) {
        try (Checkpoint checkpoint = Checkpoint.open(drafter)) {
            DraftNetwork network = NetworkReader.read(checkpoint, target, engines);
            PrismDrafter opened = new PrismDrafter(network, checkpoint.kind());
            try {
                SelfCheck check = SelfCheck.run(opened, target, network.kernels());
                check.warning(network.draftVocabulary())
                        .ifPresentOrElse(
                                warning -> LOG.warn(
                                        "Draft model {}: {}. The text stays right, but nothing will be accepted: its"
                                                + " weights may be untrained, or of another target",
                                        drafter,
                                        warning),
                                () -> LOG.debug(
                                        "Draft model {}: {}, {} modules, {} MB; {} of {} first tokens right in its"
                                                + " self-check",
                                        drafter,
                                        checkpoint.kind().title(),
                                        network.modules().size(),
                                        network.ownBytes() >> 20,
                                        check.matches(),
                                        check.rounds()));
                return opened;
            } catch (Throwable e) {
                opened.close();
                throw e;
            }
        }
    }
}
