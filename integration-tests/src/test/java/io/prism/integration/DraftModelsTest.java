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
import io.prism.drafter.checkpoint.CheckpointWriter;
import io.prism.drafter.checkpoint.Conversion;
import io.prism.drafter.checkpoint.DrafterConfig;
import io.prism.drafter.checkpoint.LayerKind;
import io.prism.drafter.checkpoint.TargetIdentity;
import io.prism.kernels.Precision;
import io.prism.spi.HostedModel;
import io.prism.spi.ModelHost;
import io.prism.spi.PrismException;
import io.prism.verify.SamplingParameters;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Properties;
import java.util.ServiceLoader;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Draft models beside the bundled model. */
class DraftModelsTest {
    private static final int TOKENS = 120;

    /** No proposal comes too late, however busy the machine is. */
    private static final Duration PATIENCE = Duration.ofHours(1);

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
        RandomDraftModel.write(folder.resolve("random"), model.target(), kind, modules, multiHidden, drafted);
        try (Checkpoint checkpoint = Checkpoint.open(folder.resolve("random"))) {
            CheckpointWriter.convert(
                    checkpoint, folder.resolve("drafter"), new Conversion(precision, checkpoint.config()));
        }
        for (SamplingParameters sampling : List.of(SamplingParameters.GREEDY, WARM)) {
            GenerationResult plain = generate("none", TreeSpec.AUTO, sampling);
            GenerationResult speculative =
                    generate(folder.resolve("drafter").toString(), TreeSpec.of(6, 4, 16), sampling);

            assertThat(speculative.tokens()).isEqualTo(plain.tokens());
            assertThat(speculative.statistics().drafted()).isGreaterThan(TOKENS);
            assertThat(speculative.statistics().fallbacks()).isEmpty();
        }
    }

    @Test
    void theModelItselfAsDrafterIsAcceptedWhole() {
        String itself = DemoModel.folder().toString();
        RequestStatistics chain = generate(itself, TreeSpec.of(5, 1, 5), SamplingParameters.GREEDY)
                .statistics();
        assertThat(chain.accepted()).isEqualTo(chain.drafted()).isGreaterThan(TOKENS / 2);

        GenerationResult tree = generate(itself, TreeSpec.of(6, 4, 16), SamplingParameters.GREEDY);
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
                generate(DemoModel.folder().resolve("prism").toString(), tree, SamplingParameters.GREEDY);
        GenerationResult lookedUp = generate("ngram", tree, SamplingParameters.GREEDY);
        assertThat(trained.tokens()).isEqualTo(lookedUp.tokens());
        assertThat(trained.statistics().acceptanceLength())
                .isGreaterThan(lookedUp.statistics().acceptanceLength())
                .isGreaterThan(2);
    }

    @Test
    void aDraftModelOfAnotherTargetIsRefusedWithWhatDiffers() {
        DrafterConfig config =
                RandomDraftModel.write(folder.resolve("random"), model.target(), LayerKind.FUSION, 1, false, 4096);
        TargetIdentity own = config.target();
        TargetIdentity other = new TargetIdentity(own.architecture(), own.hiddenSize(), own.vocabularySize(), "00.11");
        try (Checkpoint checkpoint = Checkpoint.open(folder.resolve("random"))) {
            CheckpointWriter.convert(checkpoint, folder.resolve("other"), new Conversion(config.withTarget(other)));
        }
        assertThatThrownBy(() -> generate(folder.resolve("other").toString(), TreeSpec.AUTO, SamplingParameters.GREEDY))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("tokenizer: drafter 00.11, target " + own.fingerprint());
    }

    private static GenerationResult generate(String drafter, TreeSpec tree, SamplingParameters sampling) {
        Properties properties = new Properties();
        properties.setProperty("prism.drafter", drafter);
        PrismConfig config = PrismConfig.load(properties, Map.of(), Optional.empty())
                .withTree(tree)
                .withStats(PrismConfig.Stats.OFF);
        DrafterSelection selection = DrafterSelection.open(config, Optional.empty(), model.target());
        try (SpeculativeDecoder decoder =
                        new SpeculativeDecoder(model.target(), selection.drafter(), model.kernels(), config, PATIENCE);
                DecodingSession session = decoder.openSession()) {
            int[] prompt = model.prompt(List.of("What do snakes eat?")).tokens();
            return session.generate(
                    new GenerationRequest(prompt, TOKENS, sampling, OptionalLong.of(5), token -> false, true),
                    token -> true);
        }
    }
}
