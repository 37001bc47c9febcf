package io.prism.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.prism.cli.bench.BenchPlan;
import io.prism.cli.bench.BenchRunner;
import io.prism.cli.bench.QuestionSet;
import io.prism.cli.bench.SetResult;
import io.prism.cli.bench.SuiteReader;
import io.prism.cli.demo.DemoPrompts;
import io.prism.cli.model.Contender;
import io.prism.cli.model.DecoderFactory;
import io.prism.cli.model.ModelHosts;
import io.prism.config.Flag;
import io.prism.config.PrismConfig;
import io.prism.spi.HostedModel;
import io.prism.spi.ModelHost.LoadOptions;
import io.prism.verify.SamplingParameters;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Speculative decoding on the bundled model gives the tokens of plain decoding through the same forward pass, every one:
 * as chains, as trees and with sizes chosen by cost, greedily and with a seed. Equality is exact; no tolerance applies.
 */
class LosslessTest {
    private static final String CHAIN = "6,1,6";
    private static final String TREE = "6,4,16";
    private static final int MAX_TOKENS = 128;
    private static final SamplingParameters SAMPLING = new SamplingParameters(0.8f, 0.95f, 50);

    private static HostedModel model;

    @BeforeAll
    static void load() {
        model = ModelHosts.onClassPath().load(DemoModel.folder().toString(), new LoadOptions("auto", 0, true, "auto"));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void greedyAndSampledAnswersEqualPlainDecodingOnBuiltInPrompts() {
        List<SetResult> results = run(
                List.of(DemoPrompts.all()),
                List.of(SamplingParameters.GREEDY, SAMPLING),
                List.of(config(CHAIN), config(TREE), config("auto")));
        assertEqualToPlain(results);
        assertThat(results)
                .filteredOn(it ->
                        it.contender().tree().equals(TREE) && it.sampling().isGreedy())
                .as("the test would show nothing if nothing were accepted")
                .allMatch(it -> it.pooled().acceptanceLength() > 1.2);
    }

    @Test
    void greedyAnswersEqualPlainDecodingOnTheSixBenchmarks() {
        Path suite = sharedFolder().resolve("bench");
        assumeTrue(
                Files.isDirectory(suite),
                () -> "skipped: no benchmark suite at " + suite + " (system property prism.shared or PRISM_SHARED)");
        List<QuestionSet> sets = new SuiteReader().read(suite, Integer.MAX_VALUE);
        assertThat(sets.stream().mapToInt(set -> set.questions().size()).sum()).isEqualTo(240);
        assertEqualToPlain(run(sets, List.of(SamplingParameters.GREEDY), List.of(config(CHAIN), config(TREE))));
    }

    private static List<SetResult> run(
            List<QuestionSet> sets, List<SamplingParameters> samplings, List<PrismConfig> configs) {
        DecoderFactory decoders = new DecoderFactory(model);
        List<Contender.Ours> speculative =
                configs.stream().map(decoders::speculative).toList();
        try (Contender plain = decoders.plain(configs.getFirst())) {
            BenchPlan plan = new BenchPlan(sets, plain, List.copyOf(speculative), samplings, MAX_TOKENS, 1, 42, false);
            return new BenchRunner(model, plan).run(question -> {});
        } finally {
            speculative.forEach(Contender::close);
        }
    }

    private static void assertEqualToPlain(List<SetResult> results) {
        assertThat(results)
                .isNotEmpty()
                .allSatisfy(result -> assertThat(result.pooled().equal())
                        .as(
                                "%s, drafter %s, tree %s, %s",
                                result.set(),
                                result.contender().drafter(),
                                result.contender().tree(),
                                result.sampling())
                        .isEqualTo(result.pooled().questions()));
    }

    private static PrismConfig config(String tree) {
        Properties properties = new Properties();
        properties.setProperty(Flag.DRAFTER.property(), "ngram");
        properties.setProperty(Flag.TREE.property(), tree);
        return PrismConfig.load(properties, Map.of(), Optional.empty());
    }

    private static Path sharedFolder() {
        String named = System.getProperty("prism.shared", System.getenv("PRISM_SHARED"));
        return named == null ? DemoModel.folder().resolve("../../../../shared").normalize() : Path.of(named);
    }
}
