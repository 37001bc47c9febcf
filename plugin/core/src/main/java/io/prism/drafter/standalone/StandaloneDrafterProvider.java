package io.prism.drafter.standalone;

import io.prism.drafter.check.SelfCheck;
import io.prism.drafter.checkpoint.Checkpoint;
import io.prism.kernels.KernelSelection;
import io.prism.spi.Drafter;
import io.prism.spi.DrafterProvider;
import io.prism.spi.HostedModel;
import io.prism.spi.ModelHost;
import io.prism.spi.PrismException;
import io.prism.spi.TargetDescription;
import io.prism.spi.TargetModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens a model's folder as drafter, with the engine on the class path. */
public final class StandaloneDrafterProvider implements DrafterProvider {
    private static final Logger LOG = LoggerFactory.getLogger(StandaloneDrafterProvider.class);

    @Override
    public String name() {
        return "standalone";
    }

    @Override
    public boolean supports(Path drafter, TargetDescription target) {
        return Files.isRegularFile(drafter.resolve("config.json"))
                && Files.isRegularFile(drafter.resolve("tokenizer.json"))
                && !Checkpoint.isIn(drafter);
    }

    /** Opens the model with threads and memory of its own and lets it draft once. */
    @Override
    public Drafter open(Path drafter, TargetModel target) {
        List<ModelHost> hosts =
                ServiceLoader.load(ModelHost.class, StandaloneDrafterProvider.class.getClassLoader()).stream()
                        .map(ServiceLoader.Provider::get)
                        .toList();
        if (hosts.isEmpty()) {
            throw new PrismException("Model " + drafter
                    + " can't be opened as drafter: expected an engine such as prism-jlama on the class path");
        }
        HostedModel model = hosts.getFirst()
                .load(
                        drafter.toString(),
                        new ModelHost.LoadOptions(KernelSelection.AUTO, 0, true, KernelSelection.AUTO));
        try {
            StandaloneDrafter.requireSameVocabulary(
                    drafter.toString(), model.target().description(), target.description());
            StandaloneDrafter opened = new StandaloneDrafter(model.target(), model.kernels(), model);
            SelfCheck.run(opened, target, model.kernels())
                    .warning(target.description().vocabularySize())
                    .ifPresent(warning -> LOG.warn("Drafting model {}: {}", drafter, warning));
            return opened;
        } catch (Throwable e) {
            model.close();
            throw e;
        }
    }
}
