package io.prism.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.prism.config.PrismConfig;
import io.prism.config.TreeSpec;
import io.prism.decode.DecodingSession;
import io.prism.decode.FallbackCause;
import io.prism.decode.GenerationRequest;
import io.prism.decode.GenerationResult;
import io.prism.decode.SpeculativeDecoder;
import io.prism.drafter.DrafterSelection;
import io.prism.drafter.checkpoint.LayerKind;
import io.prism.spi.DraftSession;
import io.prism.spi.Drafter;
import io.prism.spi.HostedModel;
import io.prism.spi.ModelHost;
import io.prism.spi.PassOutput;
import io.prism.spi.PrismException;
import io.prism.spi.TargetSession;
import io.prism.spi.TokenDraw;
import io.prism.tree.DraftBudget;
import io.prism.tree.TokenTree;
import io.prism.verify.SamplingParameters;
import io.prism.verify.SamplingVerifier;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Properties;
import java.util.ServiceLoader;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Drafting through CUDA, on an emulated device, beside the bundled model: the same trees, and none lost on the way. */
class CudaDraftingTest {
    /** Sums of at most 768 terms in different orders, through three chained layers and the head. */
    private static final double TOLERANCE = 2e-3;

    private static final int TOKENS = 24;

    private static EmulatedGpu gpu;
    private static HostedModel model;

    @TempDir
    Path folder;

    @BeforeAll
    static void load() {
        gpu = EmulatedGpu.open();
        gpu.lose(false);
        model = ServiceLoader.load(ModelHost.class)
                .findFirst()
                .orElseThrow()
                .load(DemoModel.folder().toString(), new ModelHost.LoadOptions("auto", 2, true, "auto"));
    }

    /** The device is gone then, as other tests of this JVM that take the best kernels would draft on it, slowly. */
    @AfterAll
    static void close() {
        gpu.lose(true);
        if (model != null) {
            model.close();
        }
    }

    @AfterEach
    void everythingIsGivenBack() {
        gpu.lose(false);
        gpu.failAt(-1);
        assertThat(gpu.live()).isZero();
    }

    private static Drafter open(Path drafter, String kernels) {
        return DrafterSelection.open(config(drafter, kernels, TreeSpec.AUTO), Optional.empty(), model.target())
                .drafter()
                .orElseThrow();
    }

    private PrismConfig config(String kernels, TreeSpec tree) {
        return config(folder.resolve("random"), kernels, tree);
    }

    private static PrismConfig config(Path drafter, String kernels, TreeSpec tree) {
        Properties properties = new Properties();
        properties.setProperty("prism.drafter", drafter.toString());
        properties.setProperty("prism.kernels", kernels);
        return PrismConfig.load(properties, Map.of(), Optional.empty())
                .withTree(tree)
                .withStats(PrismConfig.Stats.OFF);
    }

    @ParameterizedTest(name = "{0}, {1} modules, target layers {2}, {3} of the vocabulary, {4} x {5}")
    @CsvSource({
        "FUSION, 2, false, 4096, 3, 4",
        "FUSION, 2, true, 1000, 3, 10",
        "EAGLE3, 1, true, 1000, 3, 4",
    })
    void theSameTreesAreProposedAsByTheVectorApi(
            LayerKind kind, int modules, boolean multiHidden, int drafted, int steps, int topK) {
        RandomDraftModel.write(folder.resolve("random"), model.target(), kind, modules, multiHidden, drafted);
        proposesTheSameTrees(folder.resolve("random"), new DraftBudget(steps, topK, 3 * topK), null);
    }

    @Test
    void theBundledDraftersTreesAreTheSame() {
        proposesTheSameTrees(DemoModel.folder().resolve("prism"), new DraftBudget(3, 4, 12), null);
    }

    /** The bundled drafter has a reduced vocabulary. */
    @ParameterizedTest
    @ValueSource(floats = {0.6f, 1})
    void theBundledDraftersGuessesOfDrawsAreTheSame(float temperature) {
        SamplingVerifier verifier = new SamplingVerifier(
                model.kernels(), model.target().description().vocabularySize());
        verifier.begin(new SamplingParameters(temperature, 1, 0), 5);
        proposesTheSameTrees(DemoModel.folder().resolve("prism"), new DraftBudget(3, 4, 12), verifier.draft());
    }

    private static void proposesTheSameTrees(Path drafter, DraftBudget budget, TokenDraw draw) {
        int[] text = model.prompt(List.of("What do snakes eat?")).tokens();
        try (Drafter host = open(drafter, "vector");
                Drafter device = open(drafter, "cuda");
                TargetSession session = model.target().openSession(host.hiddenStates());
                DraftSession onHost = host.openSession();
                DraftSession onDevice = device.openSession()) {
            onHost.drawBy(draw);
            onDevice.drawBy(draw);
            long before = gpu.rounds();
            int length = 0;
            for (int count : new int[] {text.length - 4, 1, 2}) {
                PassOutput output = session.prefill(text, length, count);
                int[] tokens = Arrays.copyOfRange(text, length, length + count);
                int[] rows = IntStream.range(0, count).toArray();
                onHost.accept(tokens, rows, count, output);
                onDevice.accept(tokens, rows, count, output);
                length += count;
                TokenTree expected = new TokenTree(text[length]);
                TokenTree tree = new TokenTree(text[length]);
                onHost.propose(expected, budget);
                onDevice.propose(tree, budget);
                compare(expected, tree);
            }
            assertThat(gpu.rounds() - before).isGreaterThanOrEqualTo(3);
            assertThat(onDevice.fellBack()).isFalse();
        }
    }

    /** Nodes that only one of them has must nearly tie with the least of the other. */
    private static void compare(TokenTree expected, TokenTree tree) {
        Map<String, double[]> wanted = scores(expected);
        Map<String, double[]> found = scores(tree);
        assertThat(found).hasSameSizeAs(wanted);
        double least = wanted.values().stream().mapToDouble(it -> it[1]).min().orElseThrow();
        found.forEach((path, values) -> {
            double[] same = wanted.get(path);
            if (same == null) {
                assertThat(values[1]).isCloseTo(least, within(TOLERANCE));
            } else {
                assertThat(values[0]).isCloseTo(same[0], within(TOLERANCE));
            }
        });
    }

    /** Log-probability and score of every node by its path. */
    private static Map<String, double[]> scores(TokenTree tree) {
        Map<String, double[]> scores = new HashMap<>();
        for (int node = 1; node < tree.size(); node++) {
            StringBuilder path = new StringBuilder();
            double score = 0;
            for (int up = node; up > 0; up = tree.parent(up)) {
                path.insert(0, " " + tree.token(up));
                score += tree.logProbability(up);
            }
            scores.put(path.toString(), new double[] {tree.logProbability(node), score});
        }
        return scores;
    }

    private GenerationResult generate(Optional<Drafter> drafter, Runnable whenHalf) {
        PrismConfig config = config("cuda", TreeSpec.of(3, 4, 8));
        int[] count = {0};
        try (SpeculativeDecoder decoder = new SpeculativeDecoder(model.target(), drafter, model.kernels(), config);
                DecodingSession session = decoder.openSession()) {
            return session.generate(
                    new GenerationRequest(
                            model.prompt(List.of("What do snakes eat?")).tokens(),
                            TOKENS,
                            SamplingParameters.GREEDY,
                            OptionalLong.empty(),
                            token -> false,
                            true),
                    token -> {
                        if (++count[0] == TOKENS / 2) {
                            whenHalf.run();
                        }
                        return true;
                    });
        }
    }

    /** On a busy machine the emulation may take longer than a proposal may. */
    private static int roundsDraftedOrTooLate(GenerationResult result) {
        Map<FallbackCause, Integer> fallbacks = result.statistics().fallbacks();
        return result.statistics().draftRounds()
                + fallbacks.getOrDefault(FallbackCause.TIMEOUT, 0)
                + fallbacks.getOrDefault(FallbackCause.SWITCHED_OFF, 0);
    }

    @Test
    void whenTheDeviceIsLostTheVectorApiTakesOverInTheSameRequestAndThatIsCounted() {
        RandomDraftModel.write(folder.resolve("random"), model.target(), LayerKind.FUSION, 2, false, 4096);
        GenerationResult plain = generate(Optional.empty(), () -> {});
        GenerationResult whole = generate(Optional.of(open(folder.resolve("random"), "cuda")), () -> {});
        assertThat(whole.tokens()).isEqualTo(plain.tokens());
        assertThat(whole.statistics().fallbacks()).doesNotContainKey(FallbackCause.ACCELERATOR);

        long before = gpu.rounds();
        GenerationResult lost = generate(Optional.of(open(folder.resolve("random"), "cuda")), () -> gpu.lose(true));
        assertThat(gpu.rounds()).isGreaterThan(before);
        assertThat(lost.tokens()).isEqualTo(plain.tokens());
        assertThat(lost.statistics().fallbacks()).containsEntry(FallbackCause.ACCELERATOR, 1);
        assertThat(roundsDraftedOrTooLate(lost))
                .as("every round was drafted for, those after the loss too")
                .isEqualTo(roundsDraftedOrTooLate(whole));
    }

    @Test
    void whenMemoryDoesNotSufficeForTheWeightsTheHostDraftsUnlessCudaIsForced() {
        RandomDraftModel.write(folder.resolve("random"), model.target(), LayerKind.FUSION, 2, false, 4096);
        gpu.failAt(60);
        Drafter drafter = open(folder.resolve("random"), "auto");
        gpu.failAt(-1);
        long before = gpu.rounds();
        GenerationResult result = generate(Optional.of(drafter), () -> {});
        assertThat(gpu.rounds()).isEqualTo(before);
        assertThat(result.statistics().draftRounds()).isPositive();

        gpu.failAt(60);
        assertThatThrownBy(() -> open(folder.resolve("random"), "cuda"))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("CUDA_ERROR_OUT_OF_MEMORY")
                .hasMessageContaining("prism.kernels=auto");
    }
}
