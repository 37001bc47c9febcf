package io.prism.cli.command;

import io.prism.cli.CliCommand;
import io.prism.cli.bench.BenchPlan;
import io.prism.cli.bench.BenchRunner;
import io.prism.cli.bench.Measurement;
import io.prism.cli.bench.Question;
import io.prism.cli.bench.QuestionSet;
import io.prism.cli.bench.SetResult;
import io.prism.cli.demo.BundledModel;
import io.prism.cli.demo.DemoPrompts;
import io.prism.cli.model.Contender;
import io.prism.cli.model.Decoded;
import io.prism.cli.model.DecoderFactory;
import io.prism.cli.model.ModelHosts;
import io.prism.cli.model.Warmup;
import io.prism.cli.text.Quantity;
import io.prism.cli.text.TextTable;
import io.prism.config.PrismConfig;
import io.prism.config.TreeSpec;
import io.prism.spi.HostedModel;
import io.prism.spi.HostedModel.Prompt;
import io.prism.verify.SamplingParameters;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Shows stock Jlama and PRISM side by side. */
@Command(
        name = "demo",
        description = {
            "Show stock Jlama and PRISM side by side on built-in prompts, then compare their speed.",
            "Greedy decoding; takes less than a minute on the bundled model."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "1:failed, or PRISM's text differed from plain decoding's"},
        mixinStandardHelpOptions = true)
public final class DemoCommand implements CliCommand {
    private static final int WARMUP_TOKENS = 64;
    private static final int REPEATS = 3;
    private static final int RULE = 80;

    /** Drafted in every round, beside {@code auto}: the published tree for serving. */
    private static final TreeSpec ALWAYS = TreeSpec.of(6, 4, 16);

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--model", paramLabel = "DIR|ID", description = "Default: the bundled llama-snakes-6m.")
    private @Nullable String model;

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
            names = "--max-tokens",
            paramLabel = "N",
            defaultValue = "128",
            description = "Of each answer. Default: ${DEFAULT-VALUE}.")
    private int maxTokens;

    @Option(
            names = "--stock",
            paramLabel = "auto|native|panama",
            defaultValue = "auto",
            description = "What stock decoding computes with. Default: ${DEFAULT-VALUE}.")
    private String stock = "";

    @Option(
            names = "--warmup",
            paramLabel = "S",
            defaultValue = "3",
            description = "Seconds of warm-up of each way of decoding. Default: ${DEFAULT-VALUE}.")
    private int warmupSeconds;

    @Mixin
    private EngineOptions engine = new EngineOptions();

    @Override
    public Integer call() {
        String name = model == null ? BundledModel.folder().toString() : model;
        try (HostedModel hosted = ModelHosts.onClassPath().load(name, engine.loadOptions(stock))) {
            PrismConfig config =
                    engine.config(hosted.folder(), Optional.ofNullable(drafter), Optional.ofNullable(tree));
            DecoderFactory decoders = new DecoderFactory(hosted);
            try (Contender stockDecoding = new Contender.Stock(hosted);
                    Contender plain = decoders.plain(config);
                    Contender prism = decoders.speculative(config);
                    Contender always = drafts(prism) && config.tree().isAuto()
                            ? decoders.speculative(config.withTree(ALWAYS))
                            : null) {
                List<Contender> speculative = always == null ? List.of(prism) : List.of(prism, always);
                return show(hosted, stockDecoding, plain, speculative);
            }
        }
    }

    private static boolean drafts(Contender contender) {
        return !contender.drafter().equals(PrismConfig.NO_DRAFTER);
    }

    /** @param speculative the first is what a user gets */
    private int show(HostedModel hosted, Contender stockDecoding, Contender plain, List<Contender> speculative) {
        Contender prism = speculative.getFirst();
        List<Contender> all = Stream.concat(Stream.of(stockDecoding, plain), speculative.stream())
                .toList();
        PrintWriter out = spec.commandLine().getOut();
        QuestionSet set = DemoPrompts.all();
        out.println("model   " + hosted.name());
        out.println("stock   " + hosted.stockEngine());
        out.println("prism   " + hosted.target().engine() + "; drafter: " + prism.drafter());
        out.println();
        out.println("Warming up, so that the JVM's compiler is not what you see ...");
        out.flush();
        List<Prompt> prompts = set.questions().stream()
                .map(question -> hosted.prompt(question.turns()))
                .toList();
        new Warmup(Duration.ofSeconds(warmupSeconds), WARMUP_TOKENS)
                .run(all, prompts, List.of(SamplingParameters.GREEDY));
        for (int i = 0; i < prompts.size(); i++) {
            Question question = set.questions().get(i);
            out.println();
            out.println(rule((i + 1) + " of " + prompts.size() + ": " + question.id(), '='));
            out.println(question.turns().getFirst());
            stream("stock Jlama", stockDecoding, prompts.get(i), out);
            stream("PRISM", prism, prompts.get(i), out);
        }
        BenchPlan plan = new BenchPlan(
                List.of(set),
                plain,
                all.stream().filter(contender -> contender != plain).toList(),
                List.of(SamplingParameters.GREEDY),
                maxTokens,
                REPEATS,
                0,
                false);
        out.println();
        out.println(rule("the same again without printing, " + REPEATS + " times, interleaved", '='));
        out.flush();
        List<SetResult> results = new BenchRunner(hosted, plan).run(question -> {});
        return compare(results, stockDecoding, plain, speculative, out);
    }

    private void stream(String who, Contender contender, Prompt prompt, PrintWriter out) {
        out.println(rule(who, '-'));
        out.flush();
        Decoded decoded = contender.run(prompt, maxTokens, SamplingParameters.GREEDY, 0, text -> {
            out.print(text);
            out.flush();
        });
        out.println();
        out.println("    [" + decoded.generated() + " tokens, " + Quantity.time(decoded.decodeNanos()) + ", "
                + Quantity.rate(Quantity.perSecond(decoded.passTokens(), decoded.decodeNanos())) + " tokens/s]");
        out.flush();
    }

    private static int compare(
            List<SetResult> results,
            Contender stockDecoding,
            Contender plain,
            List<Contender> speculative,
            PrintWriter out) {
        TextTable table =
                new TextTable(1, "decoding", "tokens/s", "acceptance length", "x stock", "text as plain decoding's");
        add(table, "stock Jlama", resultOf(stockDecoding, results));
        add(table, "plain, PRISM's forward pass", resultOf(plain, results));
        for (Contender contender : speculative) {
            String name = "PRISM, " + contender.drafter() + (drafts(contender) ? ", tree " + contender.tree() : "");
            add(table, name, resultOf(contender, results));
        }
        out.println(table);
        out.println();
        if (speculative.size() > 1) {
            explain(resultOf(speculative.getFirst(), results), resultOf(speculative.getLast(), results), out);
        }
        boolean equal = speculative.stream()
                .map(contender -> resultOf(contender, results).pooled())
                .allMatch(pooled -> pooled.equal() == pooled.questions());
        out.println(
                equal
                        ? "Lossless: PRISM gave the tokens of plain decoding through the same forward pass, every one."
                        : "NOT lossless: PRISM's tokens differ from plain decoding's. This is a defect; please report it.");
        Measurement against = resultOf(stockDecoding, results).pooled();
        if (against.equal() < against.questions()) {
            out.println(
                    "Stock Jlama's text may differ: it rounds otherwise, so near-ties between tokens fall otherwise,"
                            + " and its");
            out.println("native library leaves part of a long prompt uncomputed (see adapters/jlama/README.md).");
        }
        out.flush();
        return equal ? 0 : 1;
    }

    private static void add(TextTable table, String name, SetResult result) {
        Measurement pooled = result.pooled();
        table.add(
                name,
                Quantity.rate(Quantity.perSecond(pooled.tokens(), pooled.nanos())),
                Quantity.ratio(pooled.acceptanceLength()),
                Quantity.speedup(result.speedupOverStock()),
                pooled.equal() + " of " + pooled.questions());
    }

    /** Why drafting less than it could is no fault. */
    private static void explain(SetResult auto, SetResult always, PrintWriter out) {
        double length = always.pooled().acceptanceLength();
        if (length > auto.pooled().acceptanceLength()) {
            out.println("Drafted in every round, a pass gives " + Quantity.ratio(length)
                    + " tokens. prism.tree=auto drafts only where that saves time: a pass");
            out.println(
                    "of a model of a few million weights costs less than the draft. plugin/SPEED.md has large models.");
            out.println();
        }
    }

    private static SetResult resultOf(Contender contender, List<SetResult> results) {
        return results.stream()
                .filter(result -> result.contender() == contender)
                .findFirst()
                .orElseThrow();
    }

    private static String rule(String title, char line) {
        String start = String.valueOf(line).repeat(2) + " " + title + " ";
        return start + String.valueOf(line).repeat(Math.max(2, RULE - start.length()));
    }
}
