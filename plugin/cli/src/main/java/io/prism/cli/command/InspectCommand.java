package io.prism.cli.command;

import io.prism.cli.CliCommand;
import io.prism.cli.model.ModelHosts;
import io.prism.cli.text.TensorSummary;
import io.prism.drafter.checkpoint.Checkpoint;
import io.prism.drafter.checkpoint.DrafterConfig;
import io.prism.drafter.checkpoint.LayerKind;
import io.prism.drafter.checkpoint.TargetFit;
import io.prism.drafter.checkpoint.TargetIdentity;
import io.prism.kernels.KernelSelection;
import io.prism.spi.HostedModel;
import io.prism.spi.ModelHost.LoadOptions;
import io.prism.spi.PrismException;
import io.prism.spi.TargetModel;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Says what a drafter's folder is. */
@Command(
        name = "inspect",
        description = {
            "Say what a drafter's folder is: kind, modules, steps, sizes, target, and what is wrong with it.",
            "Exit code 1 if it can't be used."
        },
        mixinStandardHelpOptions = true)
public final class InspectCommand implements CliCommand {
    private static final String ROW = "%-17s %s%n";

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR", description = "Folder of a draft model.")
    private Path folder = Path.of("");

    @Option(names = "--model", paramLabel = "DIR|ID", description = "Also say whether it fits this model.")
    private @Nullable String model;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        if (Files.isDirectory(folder) && !Checkpoint.isIn(folder)) {
            boolean isModel = Files.exists(folder.resolve("tokenizer.json"));
            out.printf(
                    ROW,
                    "Kind",
                    isModel
                            ? "a model of its own: as drafter it drafts for any model with the same tokens"
                            : "no draft model: expected config.json with model.safetensors or pytorch_model.bin");
            return isModel ? 0 : 1;
        }
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            describe(checkpoint, out);
            List<String> problems = new ArrayList<>(checkpoint.problems());
            if (problems.isEmpty() && model != null) {
                fit(checkpoint, model, problems);
            }
            problems.forEach(problem -> out.printf(ROW, "Problem", problem));
            out.printf(ROW, "Usable", problems.isEmpty() ? "yes" : "no");
            return problems.isEmpty() ? 0 : 1;
        }
    }

    private static void describe(Checkpoint checkpoint, PrintWriter out) {
        DrafterConfig config = checkpoint.config();
        out.printf(ROW, "Kind", checkpoint.kind().title() + (isStar(config) ? ", multi-hidden input (PRISM*)" : ""));
        out.printf(
                ROW,
                "Weights",
                checkpoint.path() + ", " + TensorSummary.of(checkpoint.tensors().values()));
        out.printf(ROW, "Modules", config.modules());
        out.printf(ROW, "Module of steps", config.stepModules() + ", the last one for further steps");
        if (config.multiHidden()) {
            out.printf(
                    ROW,
                    "Target layers",
                    config.featureLayers().isEmpty() ? "the method's own choice" : config.featureLayers());
        }
        int[] vocabulary = checkpoint.draftVocabulary();
        out.printf(
                ROW,
                "Draft vocabulary",
                vocabulary == null
                        ? "the target's"
                        : vocabulary.length + " of " + config.target().vocabularySize() + " tokens");
        out.printf(ROW, "Target", describe(config.target()));
        checkpoint.training().forEach((name, text) -> out.printf(ROW, "Training", name + ": " + text));
    }

    private static boolean isStar(DrafterConfig config) {
        return config.layer() == LayerKind.FUSION && config.multiHidden();
    }

    private static String describe(TargetIdentity target) {
        return (target.architecture().isEmpty() ? "any" : target.architecture()) + ", hidden size "
                + target.hiddenSize() + ", vocabulary " + target.vocabularySize()
                + (target.fingerprint().isEmpty()
                        ? ", not bound to one model (sizes are checked)"
                        : ", fingerprint " + target.fingerprint());
    }

    private static void fit(Checkpoint checkpoint, String model, List<String> problems) {
        LoadOptions options = new LoadOptions(KernelSelection.AUTO, 0, false, KernelSelection.AUTO);
        try (HostedModel hosted = ModelHosts.onClassPath().load(model, options)) {
            TargetModel target = hosted.target();
            target.sharedWeights()
                    .ifPresentOrElse(
                            shared -> TargetFit.require(checkpoint, target.description(), shared.embedding()),
                            () -> problems.add("model " + model
                                    + " can't lend its embedding, head and hidden states to a draft model"));
        } catch (PrismException e) {
            problems.add(e.getMessage());
        }
    }
}
