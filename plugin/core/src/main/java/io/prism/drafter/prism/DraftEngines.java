package io.prism.drafter.prism;

import io.prism.kernels.DraftEngine;
import io.prism.kernels.DraftEngineProvider;
import io.prism.kernels.DraftEngineSelection;
import io.prism.kernels.DraftWeights;
import io.prism.spi.PrismException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The accelerator that configuration asks for, if any; what stands in its way is logged in one line, or thrown. */
final class DraftEngines {
    /** Drafting on the host. */
    static final DraftEngines NONE = new DraftEngines(new DraftEngineSelection(Optional.empty(), false, List.of()));

    private static final Logger LOG = LoggerFactory.getLogger(DraftEngines.class);

    private final DraftEngineSelection selection;

    private DraftEngines(DraftEngineSelection selection) {
        this.selection = selection;
    }

    /**
     * @param kernels value of {@code prism.kernels}
     * @throws PrismException if it names an accelerator that can't be used
     */
    static DraftEngines named(String kernels) {
        try {
            return new DraftEngines(DraftEngineSelection.select(kernels, DraftEngines.class.getClassLoader()));
        } catch (IllegalStateException e) {
            throw new PrismException(e.getMessage() + " (flag prism.kernels)", e);
        }
    }

    /**
     * Copies weights to the accelerator; null if the host's kernels are to draft.
     *
     * @throws PrismException if configuration names an accelerator that can't run them
     */
    @Nullable
    DraftEngine open(Path draftModel, DraftWeights weights) {
        DraftEngineProvider provider = selection.provider().orElse(null);
        if (provider == null) {
            if (!selection.notes().isEmpty()) {
                LOG.info("Draft model {} runs on the host: {}", draftModel, String.join(" ", selection.notes()));
            }
            return null;
        }
        try {
            DraftEngine engine = provider.open(weights);
            LOG.info("Draft model {} runs on {}", draftModel, engine.description());
            return engine;
        } catch (IllegalStateException | IllegalArgumentException e) {
            if (selection.forced()) {
                throw new PrismException(
                        "Draft model " + draftModel + " can't run on '" + provider.name() + "': " + e.getMessage()
                                + ". Set prism.kernels=auto to draft on the host then",
                        e);
            }
            LOG.warn("Draft model {} runs on the host, not on '{}': {}", draftModel, provider.name(), e.getMessage());
            return null;
        }
    }
}
