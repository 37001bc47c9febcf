package io.prism.cli.command;

import io.prism.cli.CliCommand;
import io.prism.cli.bench.BenchPage;
import io.prism.cli.bench.BenchPlan;
import io.prism.cli.bench.BenchReport;
import io.prism.cli.bench.BenchRunner;
import io.prism.cli.bench.BenchTable;
import io.prism.cli.bench.PrefillTiming;
import io.prism.cli.bench.QuestionSet;
import io.prism.cli.bench.SetResult;
import io.prism.cli.bench.SuiteReader;
import io.prism.cli.bench.Throughput;
import io.prism.cli.bench.ThroughputChart;
import io.prism.cli.bench.ThroughputPlan;
import io.prism.cli.bench.ThroughputRunner;
import io.prism.cli.bench.ThroughputTable;
import io.prism.cli.model.Contender;
import io.prism.cli.model.DecoderFactory;
import io.prism.cli.model.ModelHosts;
import io.prism.cli.model.Warmup;
import io.prism.cli.text.Quantity;
import io.prism.cli.text.TextTable;
import io.prism.config.PrismConfig;
import io.prism.spi.HostedModel;
import io.prism.spi.HostedModel.Prompt;
import io.prism.spi.PrismException;
import io.prism.verify.SamplingParameters;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Compares drafters with plain and stock decoding on a suite. */
@Command(
        name = "bench",
        description = {
            "Compare drafters with plain and with stock decoding on a suite of prompts, interleaved in one run.",
            "A suite is a folder of *.jsonl files, one object {\"question_id\", \"turns\": [..]} a line. A question of several"
                    + " turns is run as a conversation that goes on from plain decoding's answers. Prompts too long for the"
                    + " context lose their beginning; the report says how many did.",
            "With --sessions it measures throughput instead: that many requests at a time, each the first turn of a question,"
                    + " greedily, for --seconds each."
        },
        mixinStandardHelpOptions = true)
public final class BenchCommand implements CliCommand {
    private static final String NO_STOCK = "none";
    private static final Duration MEASUREMENT_TIMEOUT = Duration.ofMinutes(2);
    private static final int WARMUP_PROMPTS = 4;
    private static final int WARMUP_TOKENS = 64;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--model", required = true, paramLabel = "DIR|ID", description = "Model folder or Hugging Face id.")
    private String model = "";

    @Option(
            names = "--drafter",
            split = ",",
            paramLabel = "D",
            description = "Drafters to compare: folders or ngram, several with ',' between. Default: as the flag"
                    + " prism.drafter says.")
    private List<String> drafters = List.of();

    @Option(
            names = "--tree",
            split = ";",
            paramLabel = "auto|S,K,N",
            description = "Tree sizes to compare: auto, or steps,topk,nodes; several with ';' between.")
    private List<String> trees = List.of();

    @Option(names = "--suite", required = true, paramLabel = "DIR", description = "Folder of *.jsonl files.")
    private Path suite = Path.of("");

    @Option(names = "--limit", paramLabel = "N", description = "At most this many questions of each file.")
    private int limit = Integer.MAX_VALUE;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            defaultValue = "128",
            description = "Of each answer. Default: ${DEFAULT-VALUE}.")
    private int maxTokens;

    @Option(
            names = "--temperature",
            split = ",",
            paramLabel = "T",
            defaultValue = "0",
            description = "0 is greedy; several with ',' between. Default: ${DEFAULT-VALUE}.")
    private List<Float> temperatures = List.of();

    @Option(
            names = "--stock",
            paramLabel = "auto|native|panama|none",
            defaultValue = "auto",
            description = "What stock decoding computes with; none leaves it out. Default: ${DEFAULT-VALUE}.")
    private String stock = "";

    @Option(names = "--prefill", paramLabel = "N", description = "Also time prompts of this many tokens.")
    private @Nullable Integer prefill;

    @Option(
            names = "--repeats",
            paramLabel = "N",
            defaultValue = "1",
            description = "Runs of each prompt; the median one counts. Default: ${DEFAULT-VALUE}.")
    private int repeats;

    @Option(
            names = "--turns",
            description = "Let all answer a prompt side by side, taking turns token by token, instead of one after the"
                    + " other: for machines that others use too. Costs small models speed.")
    private boolean takingTurns;

    @Option(
            names = "--warmup",
            paramLabel = "S",
            defaultValue = "3",
            description = "Seconds of warm-up of each way of decoding. Default: ${DEFAULT-VALUE}.")
    private int warmupSeconds;

    @Option(
            names = "--sessions",
            split = ",",
            paramLabel = "N",
            description = "Measure throughput with these numbers of requests at a time, for instance 1,2,4,8,16.")
    private List<Integer> sessions = List.of();

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "5",
            description = "With --sessions: length of each run. Default: ${DEFAULT-VALUE}.")
    private double seconds;

    @Option(names = "--plot", paramLabel = "FILE", description = "With --sessions: draw the throughput, as PNG.")
    private @Nullable Path plot;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the results as JSON.")
    private @Nullable Path json;

    @Option(
            names = "--html",
            paramLabel = "FILE",
            description = "Write the results as one HTML page with charts, which needs nothing else.")
    private @Nullable Path html;

    @Mixin
    private SamplingOptions sampling = new SamplingOptions();

    @Mixin
    private EngineOptions engine = new EngineOptions();

    @Override
    public Integer call() {
        requirePositive("--limit", limit);
        requirePositive("--max-tokens", maxTokens);
        requirePositive("--repeats", repeats);
        if (!(seconds > 0)) {
            throw new PrismException("--seconds is " + seconds + ": expected more than 0.");
        }
        sessions.forEach(number -> requirePositive("--sessions", number));
        List<QuestionSet> sets = new SuiteReader().read(suite, limit);
        boolean withStock = !stock.equals(NO_STOCK);
        try (HostedModel hosted =
                ModelHosts.onClassPath().load(model, engine.loadOptions(withStock ? stock : "auto"))) {
            List<Contender> contenders = new ArrayList<>();
            try {
                run(hosted, sets, withStock, contenders);
            } finally {
                contenders.forEach(Contender::close);
            }
        }
        return 0;
    }

    private void run(HostedModel hosted, List<QuestionSet> sets, boolean withStock, List<Contender> contenders) {
        PrintWriter out = spec.commandLine().getOut();
        PrismConfig config = engine.config(hosted.folder(), Optional.empty(), Optional.empty());
        open(hosted, withStock, contenders);
        out.println("model   " + hosted.name() + ", " + hosted.target().engine());
        if (withStock) {
            out.println("stock   " + hosted.stockEngine());
        }
        out.flush();
        List<SamplingParameters> samplings =
                temperatures.stream().map(t -> sampling.parameters(t, config)).toList();
        warmUp(hosted, sets, contenders, samplings);
        if (!sessions.isEmpty()) {
            measureThroughput(hosted, sets, contenders);
            return;
        }

        List<BenchReport.Prefill> prefills =
                prefill == null ? List.of() : new PrefillTiming(hosted, sets).run(prefill, baselines(contenders));
        BenchPlan plan = new BenchPlan(
                sets,
                contenders.getFirst(),
                contenders.subList(1, contenders.size()),
                samplings,
                maxTokens,
                repeats,
                sampling.seed(config).orElse(1),
                takingTurns);
        BenchRunner runner = new BenchRunner(hosted, plan);
        List<SetResult> results;
        try (Progress progress = Progress.of("prompts", plan.questions())) {
            results = runner.run(question -> progress.step());
        }
        report(hosted, results, prefills, runner.shortened());
    }

    private void measureThroughput(HostedModel hosted, List<QuestionSet> sets, List<Contender> contenders) {
        ThroughputPlan plan = new ThroughputPlan(
                (Contender.Ours) contenders.getFirst(),
                contenders.subList(1, contenders.size()),
                ThroughputPlan.prompts(hosted, sets, maxTokens),
                sessions,
                maxTokens,
                Duration.ofNanos((long) (seconds * 1e9)),
                repeats);
        List<Throughput> results;
        try (Progress progress = Progress.of("runs", plan.runs())) {
            results = new ThroughputRunner(plan).run(progress::step);
        }
        PrintWriter out = spec.commandLine().getOut();
        out.println();
        out.println(ThroughputTable.of(results));
        out.println();
        out.println(ThroughputTable.legend());
        out.flush();
        if (plot != null) {
            ThroughputChart.write(plot, hosted.name() + ", " + hosted.target().engine(), results);
        }
        if (json != null) {
            BenchReport.ofThroughput(hosted, results).write(json);
        }
    }

    /** Plain decoding comes first. */
    private void open(HostedModel hosted, boolean withStock, List<Contender> contenders) {
        DecoderFactory decoders = new DecoderFactory(hosted);
        PrismConfig plain = engine.config(hosted.folder(), Optional.of(PrismConfig.NO_DRAFTER), Optional.empty());
        contenders.add(decoders.plain(plain));
        if (withStock) {
            contenders.add(new Contender.Stock(hosted));
        }
        List<String> names = DrafterNames.of(drafters);
        for (int i = 0; i < Math.max(1, drafters.size()); i++) {
            Optional<String> drafter = drafters.stream().skip(i).findFirst();
            Optional<String> name = names.stream().skip(i).findFirst();
            for (Optional<String> tree : orDefault(trees)) {
                PrismConfig config = engine.config(hosted.folder(), drafter, tree);
                Contender.Ours speculative = decoders.speculative(config, name);
                contenders.add(speculative);
                awaitMeasured(speculative);
            }
        }
    }

    /** Passes are measured before anything else runs, so that decoders don't disturb each other's measurement. */
    private static void awaitMeasured(Contender.Ours contender) {
        try {
            contender.decoder().awaitMeasured(MEASUREMENT_TIMEOUT);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PrismException("Interrupted while the cost of passes was measured", e);
        }
    }

    private static List<Optional<String>> orDefault(List<String> given) {
        return given.isEmpty()
                ? List.of(Optional.empty())
                : given.stream().map(Optional::of).toList();
    }

    private static List<Contender> baselines(List<Contender> contenders) {
        return contenders.stream()
                .filter(it -> it instanceof Contender.Stock || it.drafter().equals(PrismConfig.NO_DRAFTER))
                .toList();
    }

    private void warmUp(
            HostedModel hosted,
            List<QuestionSet> sets,
            List<Contender> contenders,
            List<SamplingParameters> samplings) {
        int context = hosted.target().description().contextLength();
        List<Prompt> prompts = sets.stream()
                .flatMap(set -> set.questions().stream().limit(WARMUP_PROMPTS))
                .map(question -> hosted.prompt(List.of(question.turns().getFirst())))
                .filter(prompt -> prompt.tokens().length + 2 * WARMUP_TOKENS < context)
                .toList();
        if (!prompts.isEmpty()) {
            new Warmup(Duration.ofSeconds(warmupSeconds), WARMUP_TOKENS).run(contenders, prompts, samplings);
        }
    }

    private void report(
            HostedModel hosted, List<SetResult> results, List<BenchReport.Prefill> prefills, int shortened) {
        PrintWriter out = spec.commandLine().getOut();
        out.println();
        out.println(BenchTable.of(results));
        out.println();
        out.println(BenchTable.legend());
        if (shortened > 0) {
            out.println(shortened + " prompts were too long for the context with " + maxTokens
                    + " new tokens and lost their beginning.");
        }
        if (!prefills.isEmpty()) {
            TextTable table = new TextTable(1, "prompt alone", "tokens", "tokens/s");
            prefills.forEach(it ->
                    table.add(it.engine(), Integer.toString(it.promptTokens()), Quantity.rate(it.tokensPerSecond())));
            out.println();
            out.println(table);
        }
        out.flush();
        BenchReport machineReadable = BenchReport.of(hosted, results, prefills);
        if (json != null) {
            machineReadable.write(json);
        }
        if (html != null) {
            BenchPage.write(machineReadable, html);
        }
    }

    private static void requirePositive(String option, int value) {
        if (value < 1) {
            throw new PrismException(option + " is " + value + ": expected at least 1.");
        }
    }
}
