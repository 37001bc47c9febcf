package io.prism.cli.command;

import io.prism.cli.CliCommand;
import io.prism.cli.model.ModelHosts;
import io.prism.drafter.checkpoint.Checkpoint;
import io.prism.drafter.checkpoint.CheckpointWriter;
import io.prism.drafter.checkpoint.Conversion;
import io.prism.drafter.checkpoint.DrafterConfig;
import io.prism.drafter.checkpoint.TargetFit;
import io.prism.drafter.checkpoint.TargetIdentity;
import io.prism.kernels.KernelSelection;
import io.prism.kernels.Precision;
import io.prism.spi.HostedModel;
import io.prism.spi.ModelHost.LoadOptions;
import io.prism.spi.PrismException;
import io.prism.spi.SharedWeights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes a draft model in our own format. */
@Command(
        name = "convert",
        description = {
            "Write a draft model (PRISM, EAGLE-1/2, HASS, EAGLE-3) in PRISM's format, smaller if asked for.",
            "With --model it is bound to that model: others will be refused."
        },
        mixinStandardHelpOptions = true)
public final class ConvertCommand implements CliCommand {

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR", description = "Folder of a draft model.")
    private Path folder = Path.of("");

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "Folder to write, new or empty.")
    private Path out = Path.of("");

    @Option(
            names = "--weights",
            paramLabel = "TYPE",
            description = "Store matrices as ${COMPLETION-CANDIDATES}. Default: as they are.")
    private @Nullable Precision weights;

    @Option(
            names = "--all-tokens",
            description = {
                "Draft from all of the target's tokens, not from the fewer that it was trained with:",
                "more of what is drawn at temperatures above 0 is guessed, for a larger head."
            })
    private boolean allTokens;

    @Option(names = "--model", paramLabel = "DIR|ID", description = "The model it was trained for, to bind it to.")
    private @Nullable String model;

    @Override
    public Integer call() throws IOException {
        if (Files.exists(out)) {
            try (Stream<Path> files = Files.isDirectory(out) ? Files.list(out) : Stream.of(out)) {
                if (files.findAny().isPresent()) {
                    throw new PrismException(out + " is not empty: expected a new folder for --out");
                }
            }
        }
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            DrafterConfig config = model == null ? checkpoint.config() : bound(checkpoint, model);
            CheckpointWriter.convert(checkpoint, out, new Conversion(Optional.ofNullable(weights), allTokens, config));
        }
        spec.commandLine().getOut().println("Wrote " + out);
        return 0;
    }

    private static DrafterConfig bound(Checkpoint checkpoint, String model) {
        LoadOptions options = new LoadOptions(KernelSelection.AUTO, 0, false, KernelSelection.AUTO);
        try (HostedModel hosted = ModelHosts.onClassPath().load(model, options)) {
            SharedWeights shared = hosted.target()
                    .sharedWeights()
                    .orElseThrow(() -> new PrismException("Model " + model
                            + " can't lend its embedding, head and hidden states to a draft model:"
                            + " nothing to bind to"));
            TargetFit.require(checkpoint, hosted.target().description(), shared.embedding());
            return checkpoint
                    .config()
                    .withTarget(TargetIdentity.of(hosted.target().description()));
        }
    }
}
