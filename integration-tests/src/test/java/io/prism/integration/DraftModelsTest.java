package io.prism.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.prism.config.PrismConfig;
import io.prism.config.TreeSpec;
import io.prism.decode.DecodingSession;
import io.prism.decode.FallbackCause;
import io.prism.decode.GenerationRequest;
import io.prism.decode.GenerationResult;
import io.prism.decode.RequestStatistics;
import io.prism.decode.SpeculativeDecoder;
import io.prism.drafter.DrafterSelection;
import io.prism.drafter.checkpoint.Checkpoint;
import io.prism.drafter.checkpoint.CheckpointWriter;
import io.prism.drafter.checkpoint.DrafterConfig;
import io.prism.drafter.checkpoint.LayerKind;
import io.prism.drafter.checkpoint.TargetIdentity;
import io.prism.drafter.format.StoredTensor;
import io.prism.kernels.Precision;
import io.prism.spi.HostedModel;
import io.prism.spi.ModelHost;
import io.prism.spi.PrismException;
import io.prism.spi.TargetArchitecture;
import io.prism.verify.SamplingParameters;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Properties;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Draft models beside the bundled model. */
class DraftModelsTest {
    private static final int TOKENS = 120;
    private static final int ATTEMPTS = 5;
    private static final SamplingParameters WARM = new SamplingParameters(0.8f, 0.95f, 0);

    private static HostedModel model;

    @TempDir
    Path folder;

    @BeforeAll
    static void load() {
        model = ServiceLoader.load(ModelHost.class)
                .findFirst()
                .orElseThrow()
                .load(DemoModel.folder().toString(), new ModelHost.LoadOptions("auto", 2, true, "auto"));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @ParameterizedTest(name = "{0} of {1} modules, target layers {2}, {3} of the vocabulary, {4}")
    @CsvSource({
        "FUSION, 1, false, 4096, F32",
        "FUSION, 2, false, 4096, BF16",
        "FUSION, 3, false, 1000, I8",
        "FUSION, 2, true, 4096, Q4",
        "EAGLE3, 1, true, 1000, BF16"
    })
    void aRandomDraftModelLeavesGreedyAndSampledTextAsItIs(
            LayerKind kind, int modules, boolean multiHidden, int drafted, Precision precision) {
        write(folder.resolve("random"), kind, modules, multiHidden, drafted);
        try (Checkpoint checkpoint = Checkpoint.open(folder.resolve("random"))) {
            CheckpointWriter.convert(
                    checkpoint, folder.resolve("drafter"), Optional.of(precision), checkpoint.config());
        }
        for (SamplingParameters sampling : List.of(SamplingParameters.GREEDY, WARM)) {
            GenerationResult plain = generate("none", TreeSpec.AUTO, sampling);
            GenerationResult speculative =
                    undisturbed(folder.resolve("drafter").toString(), TreeSpec.of(6, 4, 16), sampling);

            assertThat(speculative.tokens()).isEqualTo(plain.tokens());
            assertThat(speculative.statistics().drafted()).isGreaterThan(TOKENS);
            assertThat(speculative.statistics().fallbacks())
                    .doesNotContainKeys(FallbackCause.ERROR, FallbackCause.EXCEPTION, FallbackCause.INVALID_PROPOSAL);
        }
    }

    @Test
    void theModelItselfAsDrafterIsAcceptedWhole() {
        String itself = DemoModel.folder().toString();
        RequestStatistics chain = generate(itself, TreeSpec.of(5, 1, 5), SamplingParameters.GREEDY)
                .statistics();
        assertThat(chain.accepted()).isEqualTo(chain.drafted()).isGreaterThan(TOKENS / 2);

        GenerationResult tree = undisturbed(itself, TreeSpec.of(6, 4, 16), SamplingParameters.GREEDY);
        assertThat(tree.statistics().acceptedByStep())
                .isEqualTo(tree.statistics().attemptedByStep());
        assertThat(tree.tokens())
                .isEqualTo(generate("none", TreeSpec.AUTO, SamplingParameters.GREEDY)
                        .tokens());
    }

    @Test
    void theDrafterBesideTheBundledModelIsTakenByItselfAndAcceptsMoreThanLookUp() {
        PrismConfig unset = PrismConfig.load(new Properties(), Map.of(), Optional.empty());
        DrafterSelection found = DrafterSelection.open(unset, Optional.of(DemoModel.folder()), model.target());
        assertThat(found.notes()).isEmpty();
        assertThat(found.drafter().orElseThrow().name()).isEqualTo("prism");

        TreeSpec tree = TreeSpec.of(6, 4, 16);
        GenerationResult trained =
                undisturbed(DemoModel.folder().resolve("prism").toString(), tree, SamplingParameters.GREEDY);
        GenerationResult lookedUp = undisturbed("ngram", tree, SamplingParameters.GREEDY);
        assertThat(trained.tokens()).isEqualTo(lookedUp.tokens());
        assertThat(trained.statistics().acceptanceLength())
                .isGreaterThan(lookedUp.statistics().acceptanceLength())
                .isGreaterThan(2);
    }

    @Test
    void aDraftModelOfAnotherTargetIsRefusedWithWhatDiffers() {
        DrafterConfig config = write(folder.resolve("random"), LayerKind.FUSION, 1, false, 4096);
        TargetIdentity own = config.target();
        TargetIdentity other = new TargetIdentity(own.architecture(), own.hiddenSize(), own.vocabularySize(), "00.11");
        try (Checkpoint checkpoint = Checkpoint.open(folder.resolve("random"))) {
            CheckpointWriter.convert(checkpoint, folder.resolve("other"), Optional.empty(), config.withTarget(other));
        }
        assertThatThrownBy(() -> generate(folder.resolve("other").toString(), TreeSpec.AUTO, SamplingParameters.GREEDY))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("tokenizer: drafter 00.11, target " + own.fingerprint());
    }

    /** Generates until no proposal came too late, as the first ones may on a busy machine. */
    private static GenerationResult undisturbed(String drafter, TreeSpec tree, SamplingParameters sampling) {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            GenerationResult result = generate(drafter, tree, sampling);
            if (!result.statistics().fallbacks().containsKey(FallbackCause.TIMEOUT)) {
                return result;
            }
        }
        return Assumptions.abort("The machine is too busy: proposals came late in " + ATTEMPTS + " attempts");
    }

    private static GenerationResult generate(String drafter, TreeSpec tree, SamplingParameters sampling) {
        Properties properties = new Properties();
        properties.setProperty("prism.drafter", drafter);
        PrismConfig config = PrismConfig.load(properties, Map.of(), Optional.empty())
                .withTree(tree)
                .withStats(PrismConfig.Stats.OFF);
        DrafterSelection selection = DrafterSelection.open(config, Optional.empty(), model.target());
        try (SpeculativeDecoder decoder =
                        new SpeculativeDecoder(model.target(), selection.drafter(), model.kernels(), config);
                DecodingSession session = decoder.openSession()) {
            int[] prompt = model.prompt(List.of("What do snakes eat?")).tokens();
            return session.generate(
                    new GenerationRequest(prompt, TOKENS, sampling, OptionalLong.of(5), token -> false, true),
                    token -> true);
        }
    }

    private static DrafterConfig write(Path out, LayerKind kind, int modules, boolean multiHidden, int drafted) {
        TargetArchitecture shape = model.target().sharedWeights().orElseThrow().architecture();
        int d = shape.hiddenSize();
        int query = shape.attention().queryWidth();
        int key = shape.attention().kvWidth();
        int mlp = shape.mlpWidth();
        DrafterConfig config = new DrafterConfig(
                kind,
                IntStream.range(0, modules).boxed().toList(),
                kind == LayerKind.FUSION,
                multiHidden,
                List.of(),
                DrafterConfig.Shape.OF_TARGET,
                TargetIdentity.of(model.target().description()));
        Random random = new Random(modules);
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        for (int m = 0; m < modules; m++) {
            String name = "modules." + m + ".";
            int inputs = kind == LayerKind.FUSION ? d : 2 * d;
            if (kind == LayerKind.FUSION) {
                tensors.put(name + "fusion.weight", matrix(random, d, 2 * d));
                tensors.put(name + "fusion.bias", ones(d));
            } else {
                tensors.put(name + "input_layernorm.weight", ones(d));
                tensors.put(name + "hidden_norm.weight", ones(d));
            }
            tensors.put(name + "self_attn.q_proj.weight", matrix(random, query, inputs));
            tensors.put(name + "self_attn.k_proj.weight", matrix(random, key, inputs));
            tensors.put(name + "self_attn.v_proj.weight", matrix(random, key, inputs));
            tensors.put(name + "self_attn.o_proj.weight", matrix(random, d, query));
            tensors.put(name + "post_attention_layernorm.weight", ones(d));
            tensors.put(name + "mlp.gate_proj.weight", matrix(random, mlp, d));
            tensors.put(name + "mlp.up_proj.weight", matrix(random, mlp, d));
            tensors.put(name + "mlp.down_proj.weight", matrix(random, d, mlp));
        }
        if (multiHidden) {
            tensors.put("features.weight", matrix(random, d, 3 * d));
        }
        if (kind == LayerKind.EAGLE3) {
            tensors.put("norm.weight", ones(d));
            tensors.put("head.weight", matrix(random, drafted, d));
        }
        if (drafted < config.target().vocabularySize()) {
            tensors.put(
                    "draft_vocabulary",
                    StoredTensor.ofIntegers(
                            IntStream.range(0, drafted).map(i -> 4 * i + 1).toArray()));
        }
        CheckpointWriter.write(out, config, tensors, Map.of());
        return config;
    }

    private static StoredTensor matrix(Random random, int rows, int columns) {
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextGaussian() / Math.sqrt(columns));
        }
        return StoredTensor.ofFloats(values, rows, columns);
    }

    private static StoredTensor ones(int length) {
        float[] values = new float[length];
        Arrays.fill(values, 1);
        return StoredTensor.ofFloats(values, length);
    }
}
