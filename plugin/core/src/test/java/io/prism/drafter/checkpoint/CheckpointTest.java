package io.prism.drafter.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.prism.drafter.format.ElementType;
import io.prism.drafter.format.SafeTensors;
import io.prism.drafter.format.StoredTensor;
import io.prism.drafter.prism.PrismDrafterProvider;
import io.prism.kernels.KernelSelection;
import io.prism.kernels.Kernels;
import io.prism.kernels.Precision;
import io.prism.spi.DraftSession;
import io.prism.spi.Drafter;
import io.prism.spi.PrismException;
import io.prism.spi.TargetSession;
import io.prism.testing.LendingTarget;
import io.prism.testing.RandomDrafts;
import io.prism.tree.DraftBudget;
import io.prism.tree.TokenTree;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class CheckpointTest {
    private static final int D = LendingTarget.HIDDEN;
    private static final int V = LendingTarget.VOCABULARY;
    private static final String SIZES = "\"hidden_size\": 64, \"vocab_size\": 96, \"num_attention_heads\": 4,"
            + " \"num_key_value_heads\": 2, \"rms_norm_eps\": 1e-5";
    private static final int[] SOME_TOKENS = {3, 5, 8, 17, 22, 33, 41, 54, 60, 71, 80, 90};

    @TempDir
    Path folder;

    private Kernels kernels;
    private LendingTarget target;
    private final DrafterConfig one = RandomDrafts.config(LayerKind.FUSION, List.of(0), true, List.of());
    private final DrafterConfig two = RandomDrafts.config(LayerKind.FUSION, List.of(0, 1, 1), true, List.of());
    private final DrafterConfig star = RandomDrafts.config(LayerKind.FUSION, List.of(0, 1, 1), true, List.of(2, 3, 3));
    private final DrafterConfig eagle3 = RandomDrafts.config(LayerKind.EAGLE3, List.of(0), false, List.of(1, 2, 2));

    @BeforeEach
    void open() {
        kernels = KernelSelection.select("scalar", getClass().getClassLoader())
                .provider()
                .open(1);
        target = new LendingTarget(kernels, 7, true);
    }

    @AfterEach
    void close() {
        target.close();
        kernels.close();
    }

    @Test
    void eagleCheckpointsDraftAsPrismOfOneModule() throws IOException {
        Map<String, StoredTensor> canonical = RandomDrafts.tensors(one, 1, null);
        Map<String, StoredTensor> published = renamed(
                canonical, name -> name.replace("modules.0.fusion.", "fc.").replace("modules.0.", "layers.0."));
        published.put("embed_tokens.weight", StoredTensor.ofFloats(target.embedding(), V, D));
        write("published", "{" + SIZES + "}", published);
        assertSameDrafts(CheckpointKind.EAGLE, "published", one, canonical);
    }

    @ParameterizedTest
    @CsvSource({"stepModels.#.0., stepFCs.#.", "midlayer.#., fc#."})
    void theAuthorsPrismDraftsUnderBothSetsOfNames(String layer, String fusion) throws IOException {
        String config = "{\"num_steps\": 3, \"num_step_models\": 2, \"step_mapping\": {\"0\": 0, \"1\": 1, \"2\": 1},"
                + " \"eagle_config\": {" + SIZES + "}}";
        UnaryOperator<String> names = name -> {
            String result = name.replace("features.", "fusion_layer.");
            for (int m = 0; m < 2; m++) {
                result = result.replace("modules." + m + ".fusion.", fusion.replace("#", "" + m))
                        .replace("modules." + m + ".", layer.replace("#", "" + m));
            }
            return result;
        };
        for (DrafterConfig each : List.of(two, star)) {
            Map<String, StoredTensor> canonical = RandomDrafts.tensors(each, 2, null);
            write("published" + each.multiHidden(), config, renamed(canonical, names));
            assertSameDrafts(CheckpointKind.PRISM_AUTHORS, "published" + each.multiHidden(), each, canonical);
        }
    }

    @Test
    void eagle3CheckpointsDraftWithTheirOwnLayerHeadAndVocabulary() throws IOException {
        Map<String, StoredTensor> canonical = RandomDrafts.tensors(eagle3, 3, SOME_TOKENS);
        write("published", "{" + SIZES + "}", eagle3Names(canonical, SOME_TOKENS));
        assertSameDrafts(CheckpointKind.EAGLE3, "published", eagle3, canonical);
    }

    private static Map<String, StoredTensor> eagle3Names(Map<String, StoredTensor> canonical, int[] tokens) {
        Map<String, StoredTensor> published = renamed(
                canonical,
                name -> name.replace("modules.0.", "midlayer.")
                        .replace("features.", "fc.")
                        .replace("head.", "lm_head."));
        published.remove("draft_vocabulary");
        int[] offsets = new int[tokens.length];
        byte[] marks = new byte[V];
        for (int i = 0; i < tokens.length; i++) {
            offsets[i] = tokens[i] - i;
            marks[tokens[i]] = 1;
        }
        published.put("d2t", StoredTensor.ofIntegers(offsets));
        published.put("t2d", new StoredTensor(ElementType.BOOL, List.of((long) V), MemorySegment.ofArray(marks)));
        return published;
    }

    @Test
    void halfPrecisionWeightsAreReadExactly() throws IOException {
        Map<String, StoredTensor> canonical = RandomDrafts.tensors(one, 4, null);
        Map<String, StoredTensor> halves = new LinkedHashMap<>();
        Map<String, StoredTensor> rounded = new LinkedHashMap<>();
        canonical.forEach((name, tensor) -> {
            float[] values = tensor.floats();
            MemorySegment data = MemorySegment.ofArray(new byte[2 * values.length]);
            for (int i = 0; i < values.length; i++) {
                short half = Float.floatToFloat16(values[i]);
                data.set(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 2L * i, half);
                values[i] = Float.float16ToFloat(half);
            }
            halves.put(name, new StoredTensor(ElementType.F16, tensor.shape(), data));
            rounded.put(
                    name,
                    StoredTensor.ofFloats(
                            values,
                            tensor.shape().stream().mapToLong(Long::longValue).toArray()));
        });
        CheckpointWriter.write(folder.resolve("published"), one, halves, Map.of());
        assertSameDrafts(CheckpointKind.PRISM, "published", one, rounded);
    }

    @ParameterizedTest
    @EnumSource(Precision.class)
    void aConvertedDrafterDraftsAlmostAsTheOriginal(Precision precision) {
        Map<String, StoredTensor> canonical = RandomDrafts.tensors(star, 5, SOME_TOKENS);
        CheckpointWriter.write(folder.resolve("original"), star, canonical, Map.of("recipe", "prism-star"));
        try (Checkpoint checkpoint = Checkpoint.open(folder.resolve("original"))) {
            CheckpointWriter.convert(
                    checkpoint, folder.resolve("converted"), new Conversion(precision, checkpoint.config()));
        }
        // F32 is the same; BF16 keeps 8 bits, I8 7, Q4 3 of a block's largest weight
        double tolerance = switch (precision) {
            case F32 -> 0;
            case BF16 -> 0.05;
            case I8 -> 0.15;
            case Q4 -> 1.5;
        };
        TokenTree original = draft("original");
        TokenTree converted = draft("converted");
        assertThat((double) converted.logProbability(1)).isCloseTo(original.logProbability(1), within(tolerance));
        try (Checkpoint checkpoint = Checkpoint.open(folder.resolve("converted"))) {
            assertThat(checkpoint.problems()).isEmpty();
            assertThat(checkpoint.matrix("modules.1.mlp.down_proj.weight").precision())
                    .isEqualTo(precision);
            assertThat(checkpoint.config()).isEqualTo(star);
            assertThat(checkpoint.training()).containsExactly(Map.entry("recipe", "prism-star"));
            assertThatThrownBy(() -> {
                        if (precision.isQuantized()) {
                            CheckpointWriter.convert(
                                    checkpoint, folder.resolve("again"), new Conversion(precision, star));
                        } else {
                            throw new PrismException("quantised already");
                        }
                    })
                    .hasMessageContaining("quantised already");
        }
    }

    @Test
    void missingUnknownAndMisshapenTensorsAreAllNamed() {
        Map<String, StoredTensor> tensors = RandomDrafts.tensors(two, 6, null);
        tensors.remove("modules.1.mlp.up_proj.weight");
        tensors.put("modules.1.mlp.up.weight", StoredTensor.ofFloats(new float[4], 2, 2));
        tensors.put("modules.0.fusion.weight", StoredTensor.ofFloats(new float[D * D], D, D));
        tensors.put("modules.2.fusion.bias", StoredTensor.ofFloats(new float[D], D));
        CheckpointWriter.write(folder, two, tensors, Map.of());

        assertThatThrownBy(() -> new PrismDrafterProvider().open(folder, target))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("'modules.1.mlp.up_proj.weight' is missing, expected [96, 64]")
                .hasMessageContaining("'modules.1.mlp.up.weight' is unknown")
                .hasMessageContaining("'modules.0.fusion.weight' is F32 [64, 64], expected [64, 128]")
                .hasMessageContaining("'modules.2.fusion.bias' is unknown");
    }

    @ParameterizedTest
    @CsvSource({"NaN", "Infinity"})
    void weightsThatAreNotFiniteAreRefusedByName(float value) {
        Map<String, StoredTensor> tensors = RandomDrafts.tensors(one, 7, null);
        float[] weights = tensors.get("modules.0.mlp.gate_proj.weight").floats();
        weights[100] = value;
        tensors.put("modules.0.mlp.gate_proj.weight", StoredTensor.ofFloats(weights, LendingTarget.MLP, D));
        CheckpointWriter.write(folder, one, tensors, Map.of());

        assertThatThrownBy(() -> new PrismDrafterProvider().open(folder, target))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("'modules.0.mlp.gate_proj.weight' has a " + value + " at element 100");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "QWEN2 | 64 | 96 | 0123456789abcdef.fedcba9876543210 | architecture: drafter QWEN2, target LLAMA",
                "LLAMA | 64 | 97 | 0123456789abcdef.fedcba9876543210 | vocabulary size: drafter 97, target 96",
                "LLAMA | 64 | 96 | 0123456789abcdef.0000000000000000 | embedding (the tokenizer is the same): drafter",
                "LLAMA | 64 | 96 | 0000000000000000.fedcba9876543210 | tokenizer: drafter 0000000000000000"
            })
    void aDrafterOfAnotherTargetIsRefusedWithWhatDiffers(
            String architecture, int hidden, int vocabulary, String fingerprint, String message) {
        DrafterConfig other = one.withTarget(new TargetIdentity(architecture, hidden, vocabulary, fingerprint));
        CheckpointWriter.write(folder, other, RandomDrafts.tensors(other, 8, null), Map.of());

        assertThatThrownBy(() -> new PrismDrafterProvider().open(folder, target))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("made for another target")
                .hasMessageContaining(message);
    }

    @Test
    void aPublishedCheckpointThatCarriesAnotherEmbeddingIsRefused() throws IOException {
        Map<String, StoredTensor> published = renamed(
                RandomDrafts.tensors(one, 1, null),
                name -> name.replace("modules.0.fusion.", "fc.").replace("modules.0.", "layers.0."));
        try (LendingTarget other = new LendingTarget(kernels, 99, true)) {
            published.put("embed_tokens.weight", StoredTensor.ofFloats(other.embedding(), V, D));
        }
        write("published", "{" + SIZES + "}", published);

        assertThatThrownBy(() -> new PrismDrafterProvider().open(folder.resolve("published"), target))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("agree with the target's by a cosine of");
    }

    @Test
    void aFusionBiasIsThereIfAndOnlyIfTheConfigurationSaysSo() throws IOException {
        Map<String, StoredTensor> published = renamed(
                RandomDrafts.tensors(one, 1, null),
                name -> name.replace("modules.0.fusion.", "fc.").replace("modules.0.", "layers.0."));
        write("unexpected", "{\"bias\": false, " + SIZES + "}", published);
        published.remove("fc.bias");
        write("missing", "{" + SIZES + "}", published);
        try (Checkpoint checkpoint = Checkpoint.open(folder.resolve("unexpected"))) {
            assertThat(checkpoint.problems()).singleElement().asString().contains("'modules.0.fusion.bias' is unknown");
        }
        try (Checkpoint checkpoint = Checkpoint.open(folder.resolve("missing"))) {
            assertThat(checkpoint.problems()).singleElement().asString().contains("'modules.0.fusion.bias' is missing");
        }
    }

    @Test
    void aTargetThatLendsNothingIsRefused() {
        CheckpointWriter.write(folder, one, RandomDrafts.tensors(one, 1, null), Map.of());
        try (LendingTarget silent = new LendingTarget(kernels, 7, false)) {
            assertThatThrownBy(() -> new PrismDrafterProvider().open(folder, silent))
                    .isInstanceOf(PrismException.class)
                    .hasMessageContaining("can't lend")
                    .hasMessageContaining("prism.drafter=ngram");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "\"version\": 1 | \"version\": 2 | 'version' is 2, expected 1",
                "\"layer\": \"prism\" | \"layer\": \"moe\" | 'layer' is \"moe\"",
                "\"target\" : { | \"moe_config\": {}, \"target\": { | unknown entry 'moe_config'",
                "\"hidden_size\" : 64 | \"hidden_size\": -64 | 'hidden_size' is -64, expected a positive integer",
                "\"step_modules\" : [ 0, 1, 1 ] | \"step_modules\": [ 0, 2 ] | so that module 1 has no step",
                "\"step_modules\" : [ 0, 1, 1 ] | \"step_modules\": [ ] | 'step_modules' is []",
                "\"version\" | \"version\": 1, \"version\" | is no JSON"
            })
    void aConfigurationThatSaysSomethingElseIsRefused(String found, String instead, String message) throws IOException {
        CheckpointWriter.write(folder, two, RandomDrafts.tensors(two, 1, null), Map.of());
        Path file = folder.resolve("config.json");
        String config = Files.readString(file).replace(" : ", ": ");
        String wanted = found.replace(" : ", ": ");
        assertThat(config).contains(wanted);
        Files.writeString(file, config.replaceFirst(Pattern.quote(wanted), instead));

        assertThatThrownBy(() -> Checkpoint.open(folder))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining(message);
    }

    @Test
    void foldersWithoutADraftModelAreToldApart() throws IOException {
        PrismDrafterProvider provider = new PrismDrafterProvider();
        assertThat(provider.supports(folder, target.description())).isFalse();
        assertThat(provider.supports(folder.resolve("none"), target.description()))
                .isFalse();
        assertThatThrownBy(() -> Checkpoint.open(folder.resolve("none")))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("does not exist");
        assertThatThrownBy(() -> Checkpoint.open(folder))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("model.safetensors");

        Files.write(folder.resolve("model.safetensors"), new byte[5]);
        assertThat(provider.supports(folder, target.description()))
                .as("damaged, and to be said so")
                .isTrue();
        assertThatThrownBy(() -> Checkpoint.open(folder))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("config.json is missing");
        Files.writeString(folder.resolve("tokenizer.json"), "{}");
        assertThat(provider.supports(folder, target.description()))
                .as("a damaged model of its own")
                .isFalse();
    }

    @Test
    void aVocabularyMapThatContradictsItselfIsRefused() throws IOException {
        Map<String, StoredTensor> published = eagle3Names(RandomDrafts.tensors(eagle3, 3, SOME_TOKENS), SOME_TOKENS);
        int[] offsets = new int[SOME_TOKENS.length];
        published.put("d2t", StoredTensor.ofIntegers(offsets));
        write("published", "{" + SIZES + "}", published);
        try (Checkpoint checkpoint = Checkpoint.open(folder.resolve("published"))) {
            assertThat(checkpoint.problems()).anyMatch(problem -> problem.contains("'d2t' and 't2d' disagree"));
        }
    }

    @Test
    void aDrafterOfFewTokensDraftsFromAllWhenConvertedSo() {
        Map<String, StoredTensor> all = RandomDrafts.tensors(star, 5, null);
        Map<String, StoredTensor> some = new LinkedHashMap<>(all);
        some.put("draft_vocabulary", StoredTensor.ofIntegers(SOME_TOKENS));
        CheckpointWriter.write(folder.resolve("all"), star, all, Map.of());
        CheckpointWriter.write(folder.resolve("some"), star, some, Map.of());
        try (Checkpoint checkpoint = Checkpoint.open(folder.resolve("some"))) {
            CheckpointWriter.convert(checkpoint, folder.resolve("wider"), new Conversion(Optional.empty(), true, star));
        }
        assertThat(describe(draft("wider"))).isEqualTo(describe(draft("all"))).isNotEqualTo(describe(draft("some")));
    }

    @Test
    void aDrafterWithAHeadOfItsOwnForFewTokensCantDraftFromAll() {
        CheckpointWriter.write(folder.resolve("own"), eagle3, RandomDrafts.tensors(eagle3, 3, SOME_TOKENS), Map.of());
        try (Checkpoint checkpoint = Checkpoint.open(folder.resolve("own"))) {
            Conversion conversion = new Conversion(Optional.empty(), true, eagle3);
            assertThatThrownBy(() -> CheckpointWriter.convert(checkpoint, folder.resolve("wider"), conversion))
                    .isInstanceOf(PrismException.class)
                    .hasMessageContaining("a head of its own for " + SOME_TOKENS.length + " tokens");
        }
        assertThat(folder.resolve("wider")).doesNotExist();
    }

    /** The published folder drafts bit for bit as the canonical tensors do. */
    private void assertSameDrafts(
            CheckpointKind kind, String published, DrafterConfig config, Map<String, StoredTensor> canonical) {
        CheckpointWriter.write(folder.resolve("canonical"), config, canonical, Map.of());
        try (Checkpoint checkpoint = Checkpoint.open(folder.resolve(published))) {
            assertThat(checkpoint.problems()).isEmpty();
            assertThat(checkpoint.kind()).isEqualTo(kind);
        }
        TokenTree expected = draft("canonical");
        assertThat(expected.size()).isGreaterThan(8);
        assertThat(describe(draft(published))).isEqualTo(describe(expected));

        Path converted = folder.resolve(published + "-converted");
        try (Checkpoint checkpoint = Checkpoint.open(folder.resolve(published))) {
            CheckpointWriter.convert(checkpoint, converted, new Conversion(checkpoint.config()));
        }
        assertThat(describe(draft(published + "-converted"))).isEqualTo(describe(expected));
    }

    private static List<String> describe(TokenTree tree) {
        return IntStream.range(0, tree.size())
                .mapToObj(node -> tree.parent(node) + " " + tree.token(node) + " " + tree.logProbability(node))
                .collect(Collectors.toList());
    }

    private TokenTree draft(String name) {
        TokenTree tree = new TokenTree(9);
        int[] text = {1, 50, 3, 77, 5, 6};
        try (Drafter drafter = new PrismDrafterProvider().open(folder.resolve(name), target);
                TargetSession session = target.openSession(drafter.hiddenStates());
                DraftSession drafts = drafter.openSession()) {
            drafts.accept(text, new int[] {0, 1, 2, 3, 4, 5}, text.length, session.prefill(text, 0, text.length));
            drafts.propose(tree, new DraftBudget(4, 3, 10));
        }
        return tree;
    }

    private static Map<String, StoredTensor> renamed(Map<String, StoredTensor> tensors, UnaryOperator<String> names) {
        Map<String, StoredTensor> renamed = new LinkedHashMap<>();
        Consumer<Map.Entry<String, StoredTensor>> put =
                entry -> renamed.put(names.apply(entry.getKey()), entry.getValue());
        tensors.entrySet().forEach(put);
        return renamed;
    }

    private void write(String name, String config, Map<String, StoredTensor> tensors) throws IOException {
        Path published = Files.createDirectories(folder.resolve(name));
        SafeTensors.write(published.resolve("model.safetensors"), tensors, Map.of());
        Files.writeString(published.resolve("config.json"), config);
    }
}
