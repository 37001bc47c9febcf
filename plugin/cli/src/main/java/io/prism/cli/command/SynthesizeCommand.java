package io.prism.cli.command;

import io.prism.cli.CliCommand;
import io.prism.cli.model.ModelSynthesizers;
import io.prism.spi.ModelSynthesizer;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Writes a model with random weights. */
@Command(
        name = "synthesize",
        description = {
            "Write a model with random weights in the shape of a known one.",
            "For measuring speed where the model itself can't be had; its text is noise."
        },
        mixinStandardHelpOptions = true)
public final class SynthesizeCommand implements CliCommand {

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--shape", required = true, paramLabel = "NAME", description = "For instance llama-3.2-1b.")
    private String shape = "";

    @Option(
            names = "--dtype",
            paramLabel = "TYPE",
            defaultValue = "bf16",
            description = "For instance bf16 or q4. Default: ${DEFAULT-VALUE}.")
    private String dtype = "";

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "Folder to write, new or empty.")
    private Path out = Path.of("");

    @Override
    public Integer call() {
        ModelSynthesizer synthesizer = ModelSynthesizers.find(shape, dtype);
        synthesizer.synthesize(shape, dtype, out);
        spec.commandLine().getOut().println("Wrote " + shape + " (" + dtype + ") to " + out);
        return 0;
    }
}
