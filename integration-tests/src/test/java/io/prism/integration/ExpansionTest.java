package io.prism.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.prism.config.PrismConfig;
import io.prism.config.TreeSpec;
import io.prism.decode.DecodingSession;
import io.prism.decode.GenerationRequest;
import io.prism.decode.GenerationResult;
import io.prism.decode.RequestStatistics;
import io.prism.decode.SpeculativeDecoder;
import io.prism.drafter.DrafterSelection;
import io.prism.drafter.checkpoint.Checkpoint;
import io.prism.drafter.checkpoint.LayerKind;
import io.prism.jlama.expansion.ModelExpansion;
import io.prism.jlama.synthetic.Q4Model;
import io.prism.jlama.synthetic.SyntheticShape;
import io.prism.kernels.Precision;
import io.prism.spi.Activations;
import io.prism.spi.HostedModel;
import io.prism.spi.ModelHost;
import io.prism.spi.PrismException;
import io.prism.verify.SamplingParameters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Properties;
import java.util.ServiceLoader;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The bundled model made larger. */
class ExpansionTest {
    private static final int TOKENS = 64;
    private static final List<String> PROMPTS = List.of("What do snakes eat?", "Tell me a story about a river.");
    private static final SamplingParameters WARM = new SamplingParameters(0.8f, 1, 0);

    /** As four times the width, a layer more, other groups of heads and half as many tokens again. */
    private static final SyntheticShape LARGE = new SyntheticShape("llama", 1024, 1024, 7, 16, 4, 6000, 1024, true);

    /** A head large enough to be searched for greedy tokens. */
    private static final SyntheticShape MANY_TOKENS =
            new SyntheticShape("llama", 1024, 1024, 6, 16, 4, 18_000, 1024, true);

    /** Twice the width is no power of four: norms are rounded once. Heads that shared one have two of them. */
    private static final SyntheticShape TWICE = new SyntheticShape("llama", 512, 768, 7, 8, 8, 4096, 1024, true);

    @TempDir
    Path folder;

    @ParameterizedTest(name = "{0} as {1}")
    @CsvSource({"large, BF16", "large, Q4", "many tokens, BF16", "twice, BF16", "twice, F32"})
    void theExpandedModelSaysWhatTheModelSays(String shape, Precision precision) {
        Path small = DemoModel.folder();
        if (precision == Precision.Q4) {
            small = folder.resolve("small");
            Q4Model.quantize(DemoModel.folder(), small);
        }
        Path expanded = expand(small, shape(shape), precision, Optional.empty());
        for (SamplingParameters sampling : List.of(SamplingParameters.GREEDY, WARM)) {
            assertThat(tokens(generate(expanded, "none", sampling)))
                    .as("temperature %s", sampling.temperature())
                    .isEqualTo(tokens(generate(small, "none", sampling)));
        }
    }

    private static SyntheticShape shape(String name) {
        return switch (name) {
            case "large" -> LARGE;
            case "many tokens" -> MANY_TOKENS;
            default -> TWICE;
        };
    }

    @ParameterizedTest(name = "{0}, states of several layers: {1}")
    @CsvSource({"FUSION, false", "FUSION, true", "EAGLE3, true"})
    void asMuchOfTheExpandedDraftIsAccepted(LayerKind kind, boolean multiHidden) {
        int[] likely = likelyTokens();
        Path drafter = folder.resolve("drafter");
        try (HostedModel model = load(DemoModel.folder())) {
            RandomDraftModel.write(
                    drafter, model.target(), kind, kind == LayerKind.FUSION ? 2 : 1, multiHidden, likely);
        }
        Path expanded = expand(DemoModel.folder(), LARGE, Precision.BF16, Optional.of(drafter));

        List<GenerationResult> before = generate(DemoModel.folder(), drafter.toString(), SamplingParameters.GREEDY);
        List<GenerationResult> after =
                generate(expanded, expanded.resolve("prism").toString(), SamplingParameters.GREEDY);
        assertThat(tokens(after)).isEqualTo(tokens(before));
        // few tokens to draft from, some of them right by chance: enough to tell acceptances apart
        assertThat(before.stream()
                        .mapToLong(result -> result.statistics().accepted())
                        .sum())
                .isPositive();
        for (int i = 0; i < PROMPTS.size(); i++) {
            RequestStatistics small = before.get(i).statistics();
            RequestStatistics large = after.get(i).statistics();
            assertThat(large.drafted()).isEqualTo(small.drafted());
            assertThat(large.acceptedByStep()).isEqualTo(small.acceptedByStep());
            assertThat(large.attemptedByStep()).isEqualTo(small.attemptedByStep());
        }
    }

    @Test
    void theExpandedModelHasTheShapeAndTokensOfItsOwn() throws IOException {
        Path expanded = expand(DemoModel.folder(), LARGE, Precision.BF16, Optional.empty());
        try (HostedModel model = load(expanded)) {
            assertThat(model.target().description().hiddenSize()).isEqualTo(1024);
            assertThat(model.target().description().vocabularySize()).isEqualTo(6000);
            assertThat(model.target().description().layers()).isEqualTo(7);
            assertThat(Arrays.stream(model.encode("A text about \uE0005000 and snakes"))
                            .boxed())
                    .allSatisfy(token -> assertThat(token).isLessThan(4096));
        }
        long parameters = 6000L * 1024 + 7 * (2 * 1024L * 1024 + 2 * 256 * 1024 + 3 * 1024 * 1024 + 2 * 1024) + 1024;
        assertThat(Files.size(expanded.resolve("model.safetensors")))
                .isBetween(2 * parameters, 2 * parameters + (1 << 16)); // BF16, and a header
    }

    @Test
    void theDraftVocabularyGrowsByAddedTokens() throws IOException {
        Path drafter = folder.resolve("drafter");
        Path out = Files.createDirectory(folder.resolve("out"));
        try (HostedModel model = load(DemoModel.folder())) {
            RandomDraftModel.write(drafter, model.target(), LayerKind.FUSION, 1, false, new int[] {7, 5, 9});
        }
        try (ModelExpansion expansion = ModelExpansion.of(DemoModel.folder(), LARGE)) {
            expansion.write(out, Optional.of(Precision.BF16));
            expansion.writeDrafter(drafter, OptionalInt.of(5), out);
            try (Checkpoint checkpoint = Checkpoint.open(out.resolve("prism"))) {
                assertThat(checkpoint.problems()).isEmpty();
                assertThat(checkpoint.draftVocabulary()).containsExactly(7, 5, 9, 4096, 4097);
            }
            assertThatThrownBy(() -> expansion.writeDrafter(drafter, OptionalInt.of(2), out))
                    .isInstanceOf(PrismException.class)
                    .hasMessageContaining("draft vocabulary of 2")
                    .hasMessageContaining("expected 3 to 1907");
        }
    }

    @Test
    void aModelLargerThanTheShapeIsRefused() {
        SyntheticShape thin = new SyntheticShape("llama", 512, 512, 7, 8, 2, 4096, 1024, true);
        assertThatThrownBy(() -> expand(DemoModel.folder(), thin, Precision.BF16, Optional.empty()))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("MLP width of 512")
                .hasMessageContaining("at least 768");
        SyntheticShape narrowHeads = new SyntheticShape("llama", 288, 768, 7, 9, 3, 4096, 1024, true);
        assertThatThrownBy(() -> expand(DemoModel.folder(), narrowHeads, Precision.BF16, Optional.empty()))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("heads of 64");
    }

    @Test
    void aDraftModelOfAnotherTargetIsNotExpanded() throws IOException {
        assertThatThrownBy(() -> expand(DemoModel.folder(), LARGE, Precision.BF16, Optional.of(DemoModel.folder())))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("expected the folder of a draft model");
    }

    private Path expand(Path model, SyntheticShape shape, Precision precision, Optional<Path> drafter) {
        Path out = folder.resolve("expanded");
        try (ModelExpansion expansion = ModelExpansion.of(model, shape)) {
            Files.createDirectories(out);
            expansion.write(out, Optional.of(precision).filter(it -> !it.isQuantized()));
            drafter.ifPresent(it -> expansion.writeDrafter(it, OptionalInt.empty(), out));
            return out;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static int[] likelyTokens() {
        Map<Integer, Long> counts = generate(DemoModel.folder(), "none", SamplingParameters.GREEDY).stream()
                .flatMapToInt(result -> Arrays.stream(result.tokens()))
                .boxed()
                .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
        return counts.entrySet().stream()
                .sorted(Map.Entry.<Integer, Long>comparingByValue(Comparator.reverseOrder())
                        .thenComparing(Map.Entry.comparingByKey()))
                .limit(8)
                .mapToInt(Map.Entry::getKey)
                .toArray();
    }

    private static List<List<Integer>> tokens(List<GenerationResult> results) {
        return results.stream()
                .map(result -> Arrays.stream(result.tokens()).boxed().toList())
                .toList();
    }

    /** A wide Q4 model's activations would be rounded, a narrow one's not. */
    private static HostedModel load(Path model) {
        return ServiceLoader.load(ModelHost.class)
                .findFirst()
                .orElseThrow()
                .load(model.toString(), new ModelHost.LoadOptions("auto", 2, true, Activations.F32, "auto"));
    }

    private static List<GenerationResult> generate(Path folder, String drafter, SamplingParameters sampling) {
        Properties properties = new Properties();
        properties.setProperty("prism.drafter", drafter);
        PrismConfig config = PrismConfig.load(properties, Map.of(), Optional.empty())
                .withTree(TreeSpec.of(4, 6, 32))
                .withStats(PrismConfig.Stats.OFF);
        try (HostedModel model = load(folder)) {
            DrafterSelection selection = DrafterSelection.open(config, Optional.empty(), model.target());
            try (SpeculativeDecoder decoder =
                    new SpeculativeDecoder(model.target(), selection.drafter(), model.kernels(), config)) {
                return PROMPTS.stream()
                        .map(prompt ->
                                generate(decoder, model.prompt(List.of(prompt)).tokens(), sampling))
                        .toList();
            }
        }
    }

    private static GenerationResult generate(SpeculativeDecoder decoder, int[] prompt, SamplingParameters sampling) {
        try (DecodingSession session = decoder.openSession()) {
            return session.generate(
                    new GenerationRequest(prompt, TOKENS, sampling, OptionalLong.of(5), token -> false, true),
                    token -> true);
        }
    }
}
