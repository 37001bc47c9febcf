package io.prism.cli.command;

import io.prism.cli.CliCommand;
import io.prism.cli.model.Contender;
import io.prism.cli.model.DecoderFactory;
import io.prism.cli.model.ModelHosts;
import io.prism.cli.text.Quantity;
import io.prism.config.PrismConfig;
import io.prism.decode.DecodingSession;
import io.prism.decode.FinishReason;
import io.prism.decode.GenerationRequest;
import io.prism.decode.GenerationResult;
import io.prism.decode.RequestStatistics;
import io.prism.spi.HostedModel;
import io.prism.spi.HostedModel.Prompt;
import io.prism.spi.HostedModel.TokenDecoder;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Answers one prompt. */
@Command(
        name = "generate",
        description = "Answer one prompt: text to stdout as it comes, a summary to stderr.",
        mixinStandardHelpOptions = true)
public final class GenerateCommand implements CliCommand {

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(
            names = "--model",
            required = true,
            paramLabel = "DIR|ID",
            description = "Model folder, or a Hugging Face id (owner/name), which is downloaded once.")
    private String model = "";

    @Option(
            names = "--drafter",
            paramLabel = "DIR|ngram|none",
            description = "What proposes tokens (flag prism.drafter).")
    private @Nullable String drafter;

    @Option(
            names = "--tree",
            paramLabel = "auto|S,K,N",
            description = "Steps, top-k and nodes of a round (flag prism.tree).")
    private @Nullable String tree;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            defaultValue = "0",
            description = "0 is greedy. Default: ${DEFAULT-VALUE}.")
    private float temperature;

    @Option(names = "--max-tokens", paramLabel = "N", defaultValue = "256", description = "Default: ${DEFAULT-VALUE}.")
    private int maxTokens;

    @Mixin
    private SamplingOptions sampling = new SamplingOptions();

    @Mixin
    private EngineOptions engine = new EngineOptions();

    @Parameters(
            arity = "1",
            paramLabel = "PROMPT",
            description = "A user's turn; put into the model's chat template if it has one.")
    private String prompt = "";

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        try (HostedModel hosted = ModelHosts.onClassPath().load(model, engine.loadOptions("auto"))) {
            PrismConfig config =
                    engine.config(hosted.folder(), Optional.ofNullable(drafter), Optional.ofNullable(tree));
            try (Contender.Ours contender = new DecoderFactory(hosted).speculative(config);
                    DecodingSession session = contender.decoder().openSession()) {
                Prompt asked = hosted.prompt(List.of(prompt));
                TokenDecoder text = hosted.newTokenDecoder();
                GenerationRequest request = new GenerationRequest(
                        asked.tokens(),
                        maxTokens,
                        sampling.parameters(temperature, config),
                        sampling.seed(config),
                        hosted::isEndToken,
                        true);
                GenerationResult result = session.generate(request, token -> {
                    out.print(text.decode(token));
                    out.flush();
                    return !out.checkError();
                });
                out.println();
                out.flush();
                err.println(summary(result));
            }
        }
        return 0;
    }

    private static String summary(GenerationResult result) {
        RequestStatistics statistics = result.statistics();
        return String.format(
                Locale.ROOT,
                "%n[%d prompt tokens in %s; %d tokens in %s, %s tokens/s; %d passes, acceptance length %.2f; %s]",
                statistics.promptTokens(),
                Quantity.time(statistics.prefillNanos()),
                statistics.generatedTokens(),
                Quantity.time(statistics.decodeNanos()),
                Quantity.rate(Quantity.perSecond(statistics.passTokens(), statistics.decodeNanos())),
                statistics.rounds(),
                statistics.acceptanceLength(),
                ended(result.reason()));
    }

    private static String ended(FinishReason reason) {
        return switch (reason) {
            case END_TOKEN -> "ended by the model";
            case MAX_TOKENS -> "ended at --max-tokens";
            case CONTEXT_FULL -> "ended because the context is full";
            case STOPPED -> "stopped";
        };
    }
}
