package io.prism.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.prism.cli.bench.Question;
import io.prism.cli.bench.QuestionSet;
import io.prism.cli.bench.SuiteReader;
import io.prism.cli.model.ModelHosts;
import io.prism.config.PrismConfig;
import io.prism.config.TreeSpec;
import io.prism.decode.PlayedDecoding.Costs;
import io.prism.drafter.DrafterSelection;
import io.prism.spi.Drafter;
import io.prism.spi.HostedModel;
import io.prism.spi.ModelHost.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The bundled model and its drafter, decoded at the costs of a 1B model. {@code -Dprism.predict=4} makes the table of
 * predictions for machines of 2 to 16 cores, with that many questions of each benchmark, and writes it to {@code
 * target/prediction.md}.
 */
class PlayedDecodingTest {
    private static final List<TreeSpec> FIXED = List.of(
            TreeSpec.of(4, 1, 4),
            TreeSpec.of(6, 1, 6),
            TreeSpec.of(4, 2, 6),
            TreeSpec.of(6, 4, 16),
            TreeSpec.of(6, 10, 60));

    private static final List<String> PROMPTS = List.of(
            "What do snakes eat?",
            "Write a short story about a lost key.",
            "How many legs do three dogs and two birds have?",
            "Explain what a loop is in a program.",
            "List five things to take to the beach.",
            "Who was the first person on the moon?");

    /** Shares of the target's weights that a draft step reads, and of its multiplications: 1B shape, draft vocabulary 4096. */
    private static final double DRAFT_SHARE = 0.062;

    private static HostedModel model;
    private static Drafter drafter;

    @BeforeAll
    static void load() {
        Path folder = Path.of("models", "llama-snakes-6m").toAbsolutePath();
        model = ModelHosts.onClassPath().load(folder.toString(), new LoadOptions("auto", 0, true, "auto"));
        drafter = DrafterSelection.open(PrismConfig.DEFAULTS, Optional.of(folder), model.target())
                .drafter()
                .orElseThrow();
    }

    @AfterAll
    static void close() {
        drafter.close();
        model.close();
    }

    /**
     * Weights of 1.24 G elements, in Q4 with a BF16 head of 0.26 G, 55 GB/s; a row takes 11.8 ms in BF16 and 10.6 ms in Q4, by
     * rounded activations, on two cores.
     */
    private static Costs costs(boolean q4, int cores) {
        double memory = q4 ? 20.6 : 45.5;
        double row = (q4 ? 10.6 : 11.8) * 2 / cores;
        return new Costs(memory, row, DRAFT_SHARE * 45.5, DRAFT_SHARE * 11.8 * 2 / cores);
    }

    private static PlayedDecoding play(Costs costs, TreeSpec spec, float temperature, List<int[]> prompts) {
        PlayedDecoding decoding = new PlayedDecoding(model, drafter, costs, spec, temperature, 96);
        for (int i = 0; i < prompts.size(); i++) {
            decoding.answer(prompts.get(i), 1 + i);
        }
        return decoding;
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 8})
    void atTheCostsOfALargeModelAutoTreesAreAsFastAsTheBestFixedOneAndNeverSlowerThanPlainDecoding(int cores) {
        List<int[]> prompts = PROMPTS.stream()
                .map(prompt -> model.prompt(List.of(prompt)).tokens())
                .toList();
        for (boolean q4 : new boolean[] {false, true}) {
            for (float temperature : new float[] {0, 1}) {
                Costs costs = costs(q4, cores);
                double auto = play(costs, TreeSpec.AUTO, temperature, prompts).speedup();
                double best = FIXED.stream()
                        .mapToDouble(
                                spec -> play(costs, spec, temperature, prompts).speedup())
                        .max()
                        .orElseThrow();
                // six answers in which the drafter is got to know
                assertThat(auto)
                        .as("%s, %d cores, temperature %.0f", q4 ? "Q4" : "BF16", cores, temperature)
                        .isGreaterThan(0.97)
                        .isGreaterThan(0.93 * best);
            }
        }
    }

    /**
     * Others take a part of memory, of arithmetic or of both while prices are measured and the first text is written. Five texts
     * later little of it is left.
     */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aDecoderThatBeginsInASlowMinuteSoonDraftsAsOthersDo(boolean q4) {
        List<int[]> prompts = PROMPTS.stream()
                .map(prompt -> model.prompt(List.of(prompt)).tokens())
                .toList();
        Costs costs = costs(q4, 2);
        double usual = afterFirst(costs, costs, prompts);
        for (Costs slow : List.of(slower(costs, 2, 2), slower(costs, 1, 2), slower(costs, 2, 1))) {
            assertThat(afterFirst(slow, costs, prompts)).as("%s", slow).isGreaterThan(0.85 * usual);
        }
    }

    private static Costs slower(Costs costs, double reading, double computing) {
        return new Costs(
                reading * costs.memory(),
                computing * costs.row(),
                reading * costs.draftMemory(),
                computing * costs.draftRow());
    }

    /** Speed-up over the prompts, after one on another machine and five on this one. */
    private static double afterFirst(Costs first, Costs then, List<int[]> prompts) {
        PlayedDecoding decoding = new PlayedDecoding(model, drafter, then, TreeSpec.AUTO, 0, 96);
        decoding.beginSlow(first);
        decoding.answer(prompts.getFirst(), 1);
        decoding.recover();
        for (int i = 1; i < prompts.size(); i++) {
            decoding.answer(prompts.get(i), 1 + i);
        }
        decoding.forgetTimes();
        for (int i = 0; i < prompts.size(); i++) {
            decoding.answer(prompts.get(i), 1 + i);
        }
        return decoding.speedup();
    }

    @Test
    void predictions() throws IOException {
        String questions = System.getProperty("prism.predict");
        assumeTrue(questions != null, "the table is made with -Dprism.predict=4");
        String named = System.getProperty("prism.shared", System.getenv("PRISM_SHARED"));
        Path suite = (named != null ? Path.of(named) : Path.of("..", "..", "shared")).resolve("bench");
        List<QuestionSet> sets = new SuiteReader().read(suite, Integer.parseInt(questions));
        List<String> table = new ArrayList<>(List.of(
                "| weights | cores | plain, tokens/s | T=0 | AL | drafting | T=1 | AL | drafting |",
                "|---|---|---|---|---|---|---|---|---|"));
        for (boolean q4 : new boolean[] {false, true}) {
            for (int cores : new int[] {2, 4, 8, 16}) {
                Costs costs = costs(q4, cores);
                table.add(String.format(
                        Locale.ROOT,
                        "| %s | %d | %.0f |%s%s",
                        q4 ? "Q4" : "BF16",
                        cores,
                        1000 / costs.pass(1),
                        columns(costs, 0, sets),
                        columns(costs, 1, sets)));
            }
        }
        Files.write(Path.of("target", "prediction.md"), table);
        assertThat(table).hasSize(10);
    }

    /** All sets pooled. */
    private static String columns(Costs costs, float temperature, List<QuestionSet> sets) {
        List<int[]> prompts =
                sets.stream().flatMap(set -> prompts(set).stream()).toList();
        PlayedDecoding played = play(costs, TreeSpec.AUTO, temperature, prompts);
        return String.format(
                Locale.ROOT,
                " %.2fx | %.2f | %.0f%% |",
                played.speedup(),
                played.acceptanceLength(),
                100 * played.draftShare());
    }

    /** First turns that leave room for an answer. */
    private static List<int[]> prompts(QuestionSet set) {
        int room = model.target().description().contextLength() - 128;
        return set.questions().stream()
                .map(Question::turns)
                .map(turns -> model.prompt(List.of(turns.getFirst())).tokens())
                .map(tokens -> IntStream.of(tokens)
                        .skip(Math.max(0, tokens.length - room))
                        .toArray())
                .toList();
    }
}
