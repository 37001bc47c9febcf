package io.prism.cli.command;

import io.prism.cli.CliCommand;
import io.prism.cli.model.ModelSynthesizers;
import io.prism.config.PrismConfig;
import io.prism.spi.ModelSynthesizer;
import io.prism.spi.ModelSynthesizer.SmallModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Makes a model larger without changing its text. */
@Command(
        name = "expand",
        description = {
            "Make a model as large as a known one without changing its text.",
            "It then says what it said, and as much of a draft is accepted, at the cost of the large one: for measuring speed"
                    + " at a real size where no such model, or no drafter for it, can be had."
        },
        mixinStandardHelpOptions = true)
public final class ExpandCommand implements CliCommand {

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--model", required = true, paramLabel = "DIR", description = "Folder of the model to expand.")
    private Path model = Path.of("");

    @Option(
            names = "--drafter",
            paramLabel = "DIR",
            description =
                    "Draft model to expand with it. Default: the model's own, in its folder prism, if there is one.")
    private @Nullable Path drafter;

    @Option(
            names = "--draft-vocabulary",
            paramLabel = "N",
            description = "Tokens that the draft model drafts from: its own and added ones. Default: as many as it has,"
                    + " or all if it drafts from all.")
    private @Nullable Integer draftVocabulary;

    @Option(names = "--shape", required = true, paramLabel = "NAME", description = "For instance llama-3.2-1b.")
    private String shape = "";

    @Option(
            names = "--dtype",
            paramLabel = "TYPE",
            defaultValue = "bf16",
            description = "bf16, q4 or f32. Default: ${DEFAULT-VALUE}.")
    private String dtype = "";

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "Folder to write, new or empty.")
    private Path out = Path.of("");

    @Override
    public Integer call() {
        ModelSynthesizer synthesizer = ModelSynthesizers.find(shape, dtype);
        Optional<Path> draftModel = Optional.ofNullable(drafter)
                .or(() -> Optional.of(model.resolve(PrismConfig.DRAFTER_FOLDER)).filter(Files::isDirectory));
        OptionalInt drafted = draftVocabulary == null ? OptionalInt.empty() : OptionalInt.of(draftVocabulary);
        synthesizer.expand(new SmallModel(model, draftModel, drafted), shape, dtype, out);
        spec.commandLine()
                .getOut()
                .println("Wrote " + model + " at the shape " + shape + " (" + dtype + ") to " + out
                        + draftModel.map(it -> ", and its draft model " + it).orElse(""));
        return 0;
    }
}
