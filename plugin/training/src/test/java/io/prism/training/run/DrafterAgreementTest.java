package io.prism.training.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.prism.drafter.beam.BeamSearch;
import io.prism.drafter.prism.PrismDrafterProvider;
import io.prism.kernels.KernelSelection;
import io.prism.kernels.Kernels;
import io.prism.spi.DraftSession;
import io.prism.spi.Drafter;
import io.prism.spi.TargetSession;
import io.prism.training.cache.FeatureCache;
import io.prism.training.files.FloatTensors;
import io.prism.training.loss.DraftHead;
import io.prism.training.network.AlignedForward;
import io.prism.training.network.Batch;
import io.prism.training.network.DraftNetwork;
import io.prism.training.network.Eagle3Network;
import io.prism.training.network.FrozenTarget;
import io.prism.training.network.InputGains;
import io.prism.training.network.LibTorch;
import io.prism.training.network.PrismNetwork;
import io.prism.training.network.TinyTarget;
import io.prism.training.plan.HiddenLoss;
import io.prism.training.plan.KeyValueMode;
import io.prism.training.plan.ModelPlan;
import io.prism.training.plan.OptimiserKind;
import io.prism.training.plan.OptimiserPlan;
import io.prism.training.plan.Recipe;
import io.prism.training.plan.StagePlan;
import io.prism.training.plan.TrainingPlan;
import io.prism.tree.DraftBudget;
import io.prism.tree.TokenTree;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The drafter that is trained is the drafter that runs. */
class DrafterAgreementTest {
    /** Log-probabilities of F32 against F32 in other orders of summation, through four chained layers. */
    private static final double TOLERANCE = 1e-4;

    private static final int ACCEPTED = 12;
    private static final int STEPS = 4;
    private static final float[] HEAD = TinyTarget.random(2, TinyTarget.VOCABULARY * TinyTarget.HIDDEN, 1.5);
    private static final float[] EMBEDDING = TinyTarget.random(1, TinyTarget.VOCABULARY * TinyTarget.HIDDEN, 1);
    private static final float[] STATES = TinyTarget.random(8, (TinyTarget.POSITIONS + 4) * TinyTarget.HIDDEN, 1.5);

    @TempDir
    private Path folder;

    @BeforeAll
    static void start() {
        LibTorch.start();
    }

    @ParameterizedTest
    @CsvSource({"PRISM, 0", "PRISM, 0.3", "PRISM_STAR, 0.3", "HASS, 0.3", "EAGLE3, 0", "EAGLE3, 0.3"})
    void libTorchAndTheKernelsGiveADraftTheSameProbabilities(Recipe recipe, double epochs) {
        ModelPlan model = new ModelPlan(
                recipe,
                recipe.hasSecondStage() ? List.of(0, 1) : List.of(0),
                recipe.readsInnerLayers() ? List.of(0, 1, 2) : List.of(),
                0,
                KeyValueMode.INFERENCE,
                true);
        int[] text = IntStream.range(0, ACCEPTED + 1)
                .map(i -> (7 * i + 3) % TinyTarget.VOCABULARY)
                .toArray();
        try (PointerScope _ = new PointerScope()) {
            FrozenTarget target = FrozenTarget.of(TinyTarget.architecture(), EMBEDDING, HEAD);
            DraftNetwork network = recipe == Recipe.EAGLE3
                    ? new Eagle3Network(target.architecture(), model, target.head(), 5)
                    : new PrismNetwork(target.architecture(), model, InputGains.NONE, 5);
            if (epochs == 0) {
                new DrafterFolder(SyntheticData.TARGET, Optional.empty()).write(folder, network, model, Map.of());
            } else {
                train(model, target, epochs);
                network.parameters().load(FloatTensors.read(folder.resolve(DrafterFolder.WEIGHTS)));
            }
            TokenTree tree = drafted(text);
            assertThat(tree.size()).isEqualTo(STEPS + 1);
            assertThat(tree.isChain()).isTrue();
            List<Tensor> outputs = new AlignedForward(network, model, KeyValueMode.INFERENCE, target)
                    .run(batch(text, tree), STEPS, true);
            for (int step = 1; step <= STEPS; step++) {
                Tensor state = outputs.get(step - 1).narrow(1, ACCEPTED + step - 2, 1);
                Tensor logits =
                        torch.linear(network.headInput(state), network.ownHead().orElse(target.head()));
                Tensor sharpened = logits.mul(new Scalar(BeamSearch.sharpness(null)));
                float[] logs = LibTorch.floats(sharpened.log_softmax(-1));
                assertThat((double) tree.logProbability(step)).isCloseTo(logs[tree.token(step)], within(TOLERANCE));
            }
        }
    }

    private TokenTree drafted(int[] text) {
        TokenTree tree = new TokenTree(text[ACCEPTED]);
        try (Kernels kernels = KernelSelection.select("scalar", getClass().getClassLoader())
                        .provider()
                        .open(1);
                TinyModel target = new TinyModel(kernels, EMBEDDING, HEAD, STATES);
                Drafter drafter = new PrismDrafterProvider().open(folder, target);
                TargetSession session = target.openSession(drafter.hiddenStates());
                DraftSession drafts = drafter.openSession()) {
            int[] rows = IntStream.range(0, ACCEPTED).toArray();
            drafts.accept(Arrays.copyOf(text, ACCEPTED), rows, ACCEPTED, session.prefill(text, 0, ACCEPTED));
            drafts.propose(tree, new DraftBudget(STEPS, 1, STEPS));
        }
        return tree;
    }

    /** The accepted text and the drafted chain as one training sequence. */
    private static Batch batch(int[] text, TokenTree tree) {
        int positions = ACCEPTED + STEPS - 1;
        long[] tokens = new long[positions];
        for (int i = 0; i < positions; i++) {
            tokens[i] = i < ACCEPTED ? text[i + 1] : tree.token(i - ACCEPTED + 1);
        }
        int hidden = TinyTarget.HIDDEN;
        float[] inner = new float[positions * 3 * hidden];
        for (int i = 0; i < positions; i++) {
            System.arraycopy(STATES, (i + 1) * hidden, inner, i * 3 * hidden, 3 * hidden);
        }
        Tensor states = LibTorch.tensor(Arrays.copyOf(STATES, positions * hidden), 1, positions, hidden);
        return new Batch(
                1,
                positions,
                new int[] {positions},
                new int[1],
                LibTorch.tensor(tokens, positions),
                states,
                Optional.of(LibTorch.tensor(inner, 1, positions, 3 * hidden)),
                states.view(positions, hidden));
    }

    private void train(ModelPlan model, FrozenTarget target, double epochs) {
        FeatureCache training = SyntheticData.cache(folder.resolve("training"), HEAD, 11, 2, 30);
        FeatureCache validating = SyntheticData.cache(folder.resolve("validating"), HEAD, 12, 1, 5);
        StagePlan first = new StagePlan(epochs, 5e-3, 3, 1, true, 1, 1, HiddenLoss.MSE, 0, 0);
        StagePlan second = new StagePlan(
                model.recipe().hasSecondStage() ? epochs : 0, 5e-3, 3, 1, false, 1, 0, HiddenLoss.MSE, 0, 0);
        TrainingPlan plan = new TrainingPlan(
                model, first, second, new OptimiserPlan(OptimiserKind.ADAMW, 200, 0.01, 0.9, 0.95, 0, 0.5, false), 3);
        new Trainer(
                        plan,
                        new RunSettings(100, 3, 10_000, 1),
                        SyntheticData.TARGET,
                        target,
                        DraftHead.full(target),
                        training,
                        validating,
                        folder,
                        new Silent())
                .run(Optional.empty());
    }

    private static final class Silent implements TrainingListener {
        @Override
        public void onStage(int stage, long step, long steps) {}

        @Override
        public void onStep(int stage, long step, long steps, double loss) {}

        @Override
        public void onValidation(int stage, long step, double loss, Acceptance acceptance) {}
    }
}
