package io.prism.training.command;

import io.prism.cli.CliCommand;
import io.prism.training.run.Curves;
import io.prism.training.run.RunSummary;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Holds training runs against each other. */
@Command(
        name = "train-curves",
        description = {
            "Compare training runs: a table of their validations, and a plot.",
            "Acceptance is along the validation answers; prism bench measures what decoding gets."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
public final class TrainCurvesCommand implements CliCommand {

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Parameters(arity = "1..*", paramLabel = "DIR", description = "Folders that prism train wrote.")
    private List<Path> folders = List.of();

    @Option(
            names = "--plot",
            paramLabel = "FILE",
            description = "PNG: tokens per pass along the answer tokens trained on, a line for each run.")
    private @Nullable Path plot;

    @Option(
            names = "--scaling",
            paramLabel = "FILE",
            description = "PNG: where runs ended, along the answer tokens trained on, a line for each recipe.")
    private @Nullable Path scaling;

    @Override
    public Integer call() {
        List<RunSummary> runs = folders.stream().map(RunSummary::of).toList();
        PrintWriter out = spec.commandLine().getOut();
        out.println("| run | recipe | keys and values | answer tokens | tokens per pass | accepted by step |");
        out.println("|---|---|---|---|---|---|");
        for (RunSummary run : runs) {
            StringBuilder marginal = new StringBuilder();
            run.acceptance().marginal().forEach(value -> marginal.append(String.format(Locale.ROOT, " %.3f", value)));
            out.println(String.format(
                    Locale.ROOT,
                    "| %s | %s | %s | %.2fM | %.3f |%s |",
                    run.name(),
                    run.recipe(),
                    run.keyValues(),
                    run.tokens() / 1e6,
                    run.acceptance().chainLength(),
                    marginal));
        }
        out.flush();
        if (plot != null) {
            Curves.compare(plot, runs);
        }
        if (scaling != null) {
            Curves.scaling(scaling, runs);
        }
        return 0;
    }
}
