package io.prism.drafter.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.prism.config.PrismConfig;
import io.prism.config.TreeSpec;
import io.prism.decode.DecodingSession;
import io.prism.decode.GenerationRequest;
import io.prism.decode.GenerationResult;
import io.prism.decode.RequestStatistics;
import io.prism.decode.SpeculativeDecoder;
import io.prism.kernels.KernelSelection;
import io.prism.kernels.Kernels;
import io.prism.spi.DraftRequest;
import io.prism.spi.DraftSession;
import io.prism.spi.Drafter;
import io.prism.spi.PrismException;
import io.prism.spi.TargetDescription;
import io.prism.testing.FakeTarget;
import io.prism.tree.DraftBudget;
import io.prism.tree.TokenTree;
import io.prism.verify.SamplingParameters;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StandaloneDrafterTest {
    private static final int[] PROMPT = {3, 1, 4, 1, 5};

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aModelThatDraftsForItselfIsAlwaysAcceptedInAChain(boolean drafterTakesTrees) {
        FakeTarget target = FakeTarget.of(1, 40);
        FakeTarget itself = new FakeTarget(1, 40, 2, 4, 4096, 64, drafterTakesTrees);
        RequestStatistics statistics =
                generate(target, itself, TreeSpec.of(5, 1, 5)).statistics();

        assertThat(statistics.accepted()).isEqualTo(statistics.drafted());
        assertThat(statistics.rounds()).isEqualTo(100 / 6 + 1);
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 0", "0.6, 1, 0", "2, 1, 0", "1, 0.8, 0", "1.5, 1, 5"})
    void whatItGuessesOfADrawIsWhatIsDrawnIfItIsTheTarget(float temperature, float topP, int topK) {
        SamplingParameters sampling = new SamplingParameters(temperature, topP, topK);
        RequestStatistics statistics = generate(
                        FakeTarget.of(1, 40), FakeTarget.of(1, 40), TreeSpec.of(5, 1, 5), sampling)
                .statistics();

        assertThat(statistics.accepted()).isEqualTo(statistics.drafted());
        assertThat(statistics.rounds()).isEqualTo(100 / 6 + 1);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void anotherModelThatKnowsTheDrawsChangesNoneOfThem(int width) {
        SamplingParameters sampling = new SamplingParameters(1, 1, 0);
        FakeTarget target = new FakeTarget(3, 40, 2, 2, 4096, 64, true);
        int[] plain = generate(target, null, TreeSpec.AUTO, sampling).tokens();

        assertThat(generate(target, new FakeTarget(3, 40, 1, 2, 4096, 64, true), TreeSpec.of(4, width, 8), sampling)
                        .tokens())
                .isEqualTo(plain);
    }

    @Test
    void aModelThatDraftsForItselfIsAcceptedDownToALeafOfEveryTree() {
        FakeTarget target = FakeTarget.of(2, 40);
        GenerationResult result = generate(target, FakeTarget.of(2, 40), TreeSpec.of(6, 4, 16));

        RequestStatistics statistics = result.statistics();
        int[] attempted = statistics.attemptedByStep();
        int[] accepted = statistics.acceptedByStep();
        for (int step = 0; step < accepted.length; step++) {
            assertThat(accepted[step]).as("step %d", step).isEqualTo(attempted[step]);
        }
        assertThat(accepted[1]).isPositive();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void anotherModelCostsSpeedButNotTheText(int width) {
        FakeTarget target = FakeTarget.of(3, 40);
        int[] plain = generate(target, null, TreeSpec.AUTO).tokens();

        assertThat(generate(target, FakeTarget.of(4, 40), TreeSpec.of(4, width, 8))
                        .tokens())
                .isEqualTo(plain);
        FakeTarget smallContext = new FakeTarget(3, 40, 2, 4, 50, 64, true);
        assertThat(generate(target, smallContext, TreeSpec.of(4, width, 8)).tokens())
                .isEqualTo(plain);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void proposalsMadeTogetherAreThoseMadeAlone(int width) {
        Kernels kernels = KernelSelection.select("scalar", StandaloneDrafterTest.class.getClassLoader())
                .provider()
                .open(1);
        FakeTarget model = FakeTarget.of(5, 40);
        model.jointRows = 12; // so that not all rows of a level fit one pass
        DraftBudget budget = new DraftBudget(4, width, 8);
        try (Drafter drafter = new StandaloneDrafter(model, kernels, () -> {})) {
            assertThat(drafter.proposesTogether()).isTrue();
            List<DraftSession> alone = new ArrayList<>();
            List<DraftSession> joint = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                int[] text = Arrays.copyOf(PROMPT, i + 1);
                for (List<DraftSession> sessions : List.of(alone, joint)) {
                    sessions.add(drafter.openSession());
                    sessions.getLast().accept(text, new int[text.length], text.length, null);
                }
            }
            for (int root : new int[] {7, 8}) {
                List<DraftRequest> requests = new ArrayList<>();
                joint.forEach(session -> requests.add(new DraftRequest(session, new TokenTree(root), budget)));
                drafter.proposeTogether(requests);
                for (int i = 0; i < 4; i++) {
                    TokenTree expected = new TokenTree(root);
                    alone.get(i).propose(expected, budget);
                    TokenTree tree = requests.get(i).tree();
                    assertThat(tree.size()).isEqualTo(expected.size()).isGreaterThan(1);
                    for (int node = 1; node < tree.size(); node++) {
                        assertThat(tree.token(node)).isEqualTo(expected.token(node));
                        assertThat(tree.parent(node)).isEqualTo(expected.parent(node));
                    }
                }
            }
            alone.forEach(DraftSession::close);
            joint.forEach(DraftSession::close);
        }
        assertThat(model.openSessions).hasValue(0);
    }

    @Test
    void aModelOfAnotherVocabularyIsRefusedWithWhatDiffers() {
        TargetDescription target = new TargetDescription("LLAMA", 8, 100, 2, 64, "aaaa.1111");

        StandaloneDrafter.requireSameVocabulary(
                "small", new TargetDescription("QWEN2", 4, 100, 1, 64, "aaaa.2222"), target);
        assertThatThrownBy(() -> StandaloneDrafter.requireSameVocabulary(
                        "small", new TargetDescription("LLAMA", 8, 99, 2, 64, "aaaa.1111"), target))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("vocabulary size: drafter 99, target 100");
        assertThatThrownBy(() -> StandaloneDrafter.requireSameVocabulary(
                        "small", new TargetDescription("LLAMA", 8, 100, 2, 64, "bbbb.1111"), target))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("tokenizer: drafter bbbb, target aaaa");
    }

    private static GenerationResult generate(FakeTarget target, FakeTarget drafter, TreeSpec tree) {
        return generate(target, drafter, tree, SamplingParameters.GREEDY);
    }

    private static GenerationResult generate(
            FakeTarget target, FakeTarget drafter, TreeSpec tree, SamplingParameters sampling) {
        Kernels kernels = KernelSelection.select("scalar", StandaloneDrafterTest.class.getClassLoader())
                .provider()
                .open(1);
        PrismConfig config = PrismConfig.DEFAULTS.withTree(tree).withStats(PrismConfig.Stats.OFF);
        Optional<Drafter> drafts =
                Optional.ofNullable(drafter).map(model -> new StandaloneDrafter(model, kernels, () -> {}));
        try (SpeculativeDecoder decoder = new SpeculativeDecoder(target, drafts, kernels, config);
                DecodingSession session = decoder.openSession()) {
            GenerationResult result = session.generate(
                    new GenerationRequest(PROMPT, 101, sampling, OptionalLong.of(17), token -> false, true),
                    token -> true);
            assertThat(result.statistics().fallbacks()).isEmpty();
            return result;
        }
    }
}
