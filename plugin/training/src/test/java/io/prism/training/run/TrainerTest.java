package io.prism.training.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.prism.drafter.checkpoint.Checkpoint;
import io.prism.drafter.format.StoredTensor;
import io.prism.spi.PrismException;
import io.prism.training.cache.CacheKey;
import io.prism.training.cache.Example;
import io.prism.training.cache.FeatureCache;
import io.prism.training.files.FloatTensors;
import io.prism.training.loss.DraftHead;
import io.prism.training.network.FrozenTarget;
import io.prism.training.network.LibTorch;
import io.prism.training.network.TinyTarget;
import io.prism.training.plan.HiddenLoss;
import io.prism.training.plan.KeyValueMode;
import io.prism.training.plan.ModelPlan;
import io.prism.training.plan.OptimiserKind;
import io.prism.training.plan.OptimiserPlan;
import io.prism.training.plan.Recipe;
import io.prism.training.plan.StagePlan;
import io.prism.training.plan.TrainingPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class TrainerTest {
    private static final float[] HEAD = TinyTarget.random(2, TinyTarget.VOCABULARY * TinyTarget.HIDDEN, 1.5);
    private static final float[] EMBEDDING = TinyTarget.random(1, TinyTarget.VOCABULARY * TinyTarget.HIDDEN, 1);

    @TempDir
    private Path folder;

    @BeforeAll
    static void start() {
        LibTorch.start();
    }

    @ParameterizedTest
    @CsvSource({"MUON, 0.025", "ADAMW, 0.01"})
    void theLossFallsAndAcceptanceRises(OptimiserKind kind, double rate) {
        Recorder recorder = new Recorder();
        train(withOptimiser(plan(Recipe.PRISM, 1, 3, rate, 200), kind), "out", recorder);
        assertThat(recorder.losses(1).getLast())
                .isLessThan(0.5 * recorder.losses(1).getFirst());
        assertThat(recorder.acceptance.getFirst().chainLength()).isLessThan(2);
        assertThat(recorder.acceptance.getLast().marginal().get(1)).isGreaterThan(0.5);
        assertThat(folder.resolve("out/loss.png")).isNotEmptyFile();
        assertThat(folder.resolve("out/acceptance.png")).isNotEmptyFile();
    }

    @ParameterizedTest
    @EnumSource(Recipe.class)
    void everyRecipeEndsInAFolderThatTheDrafterReads(Recipe recipe) {
        train(plan(recipe, 0.2, recipe.hasSecondStage() ? 0.2 : 0), "out", new Recorder());
        try (Checkpoint checkpoint = Checkpoint.open(folder.resolve("out"))) {
            assertThat(checkpoint.problems()).isEmpty();
            assertThat(checkpoint.config().modules()).isEqualTo(recipe.defaultModules());
            assertThat(checkpoint.config().target().differences(SyntheticData.TARGET))
                    .isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 3, MUON", "1, 5, ADAMW", "1, 14, MUON", "2, 1, MUON", "2, 7, ADAMW"})
    void aRunKilledAtAnyStepEndsWithTheWeightsOfAnUninterruptedOne(int stage, int step, OptimiserKind kind) {
        TrainingPlan plan = withOptimiser(plan(Recipe.PRISM, 1, 0.6), kind);
        train(plan, "whole", new Recorder());
        assertThatThrownBy(() -> train(plan, "killed", new Killer(stage, step))).isInstanceOf(Killed.class);
        Recorder rest = new Recorder();
        train(plan, "killed", rest);
        assertThat(weights("killed")).isEqualTo(weights("whole"));
        if (stage == 2) {
            assertThat(rest.losses(1)).isEmpty();
        }
    }

    @Test
    void theNumberOfThreadsChangesNoMoreThanTheOrderOfSums() {
        // one step: Adam's first one has the size of the learning rate for every weight, so a gradient lost or counted
        // twice
        // shows in the moments only; two steps show it in the weights
        TrainingPlan plan = plan(Recipe.HASS, 0.1, 0);
        for (int threads : new int[] {1, 3}) {
            try (PointerScope _ = new PointerScope()) {
                trainer(plan, "threads" + threads, training(), new Recorder(), threads)
                        .run(Optional.empty());
            }
        }
        Map<String, List<Float>> one = weights("threads1");
        Map<String, List<Float>> three = weights("threads3");
        one.forEach((name, values) -> {
            for (int i = 0; i < values.size(); i++) {
                // a weight moves by up to 0.01 a step; gradients near 0 may change sign with the order of sums
                assertThat(three.get(name).get(i)).as(name).isCloseTo(values.get(i), within(5e-3f));
            }
        });
    }

    @Test
    void trainingInBf16LearnsAsMuch() {
        TrainingPlan plan = plan(Recipe.PRISM, 1, 1);
        OptimiserPlan f32 = plan.optimiser();
        OptimiserPlan bf16 = new OptimiserPlan(
                f32.kind(),
                f32.batchTokens(),
                f32.warmUp(),
                f32.beta1(),
                f32.beta2(),
                f32.weightDecay(),
                f32.clip(),
                true);
        Recorder exact = new Recorder();
        Recorder rounded = new Recorder();
        train(plan, "f32", exact);
        train(new TrainingPlan(plan.model(), plan.first(), plan.second(), bf16, plan.seed()), "bf16", rounded);
        assertThat(weights("bf16")).isNotEqualTo(weights("f32"));
        // both near the end of what there is to learn: 4 is all three steps right
        assertThat(rounded.acceptance.getLast().chainLength())
                .isCloseTo(exact.acceptance.getLast().chainLength(), within(0.3));
    }

    @Test
    void anotherSeedGivesOtherWeights() {
        TrainingPlan plan = plan(Recipe.EAGLE2, 0.2, 0);
        train(plan, "one", new Recorder());
        train(
                new TrainingPlan(plan.model(), plan.first(), plan.second(), plan.optimiser(), plan.seed() + 1),
                "other",
                new Recorder());
        assertThat(weights("one")).isNotEqualTo(weights("other"));
    }

    @Test
    void theKeyValueModesTrainDifferentDrafters() {
        TrainingPlan plan = plan(Recipe.PRISM, 0.2, 0.3);
        ModelPlan model = plan.model();
        ModelPlan published = new ModelPlan(
                model.recipe(),
                model.stepMapping(),
                model.innerLayers(),
                model.draftVocabulary(),
                KeyValueMode.PUBLISHED,
                model.fusionBias());
        train(plan, "inference", new Recorder());
        train(
                new TrainingPlan(published, plan.first(), plan.second(), plan.optimiser(), plan.seed()),
                "published",
                new Recorder());
        assertThat(weights("inference")).isNotEqualTo(weights("published"));
    }

    @Test
    void aCheckpointOfOtherHyperparametersIsRefusedWithWhatDiffers() {
        train(plan(Recipe.EAGLE2, 0.3, 0), "out", new Recorder());
        assertThatThrownBy(() -> train(plan(Recipe.EAGLE2, 0.4, 0), "out", new Recorder()))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("first.epochs (0.3, now 0.4)");
    }

    @Test
    void aLossThatIsNoNumberEndsWithAMessageAndAUsableCheckpoint() {
        try (PointerScope _ = new PointerScope()) {
            FeatureCache cache = SyntheticData.cache(folder.resolve("training"), HEAD, 11, 3, 20);
            Example broken = SyntheticData.example(HEAD, new SplittableRandom(5), 24);
            Arrays.fill(broken.states(), Example.toBf16(Float.NaN));
            cache.append(List.of(broken), 61, true);
            Recorder recorder = new Recorder();
            // small batches, so that several come before the broken one
            assertThatThrownBy(() -> trainer(plan(Recipe.EAGLE2, 1, 0, 1e-2, 60), "out", cache, recorder)
                            .run(Optional.empty()))
                    .isInstanceOf(PrismException.class)
                    .hasMessageContaining("no finite number")
                    .hasMessageContaining("usable as it is");
            assertThat(recorder.losses(1)).hasSizeGreaterThan(5);
        }
        try (Checkpoint checkpoint = Checkpoint.open(newestCheckpoint())) {
            assertThat(checkpoint.problems()).isEmpty();
        }
    }

    @Test
    void aDamagedCacheEndsWithAMessageThatNamesTheFileAndKeepsTheCheckpoints() throws IOException {
        TrainingPlan plan = plan(Recipe.EAGLE2, 1, 0);
        assertThatThrownBy(() -> train(plan, "out", new Killer(1, 7))).isInstanceOf(Killed.class);
        Path shard = folder.resolve("training/shard-00001.bin");
        byte[] bytes = Files.readAllBytes(shard);
        bytes[bytes.length / 2] ^= 4;
        Files.write(shard, bytes);
        assertThatThrownBy(() -> train(plan, "out", new Recorder()))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("shard-00001.bin is damaged")
                .hasMessageContaining("checksum");
        try (Checkpoint checkpoint = Checkpoint.open(newestCheckpoint())) {
            assertThat(checkpoint.problems()).isEmpty();
        }
    }

    @Test
    void aReducedVocabularyIsWrittenAndOnlyItsTokensAreDrafted() {
        long[] tokens = {3, 18, 1, 8, 20};
        try (PointerScope _ = new PointerScope()) {
            FrozenTarget target = FrozenTarget.of(TinyTarget.architecture(), EMBEDDING, HEAD);
            new Trainer(
                            plan(Recipe.EAGLE3, 0.2, 0),
                            new RunSettings(5, 3, 1000, 2),
                            SyntheticData.TARGET,
                            target,
                            DraftHead.reduced(target, tokens),
                            training(),
                            validating(),
                            folder.resolve("out"),
                            new Recorder())
                    .run(Optional.empty());
        }
        try (Checkpoint checkpoint = Checkpoint.open(folder.resolve("out"))) {
            assertThat(checkpoint.problems()).isEmpty();
            assertThat(checkpoint.draftVocabulary()).containsExactly(1, 3, 8, 18, 20);
        }
    }

    @Test
    void runsCanBeHeldAgainstEachOther() {
        TrainingPlan plan = plan(Recipe.HASS, 1, 0);
        Recorder recorder = new Recorder();
        train(plan, "one", recorder);
        train(plan(Recipe.HASS, 0.5, 0), "half", new Recorder());
        RunSummary one = RunSummary.of(folder.resolve("one"));
        RunSummary half = RunSummary.of(folder.resolve("half"));
        assertThat(one.name()).isEqualTo("one");
        assertThat(one.recipe()).isEqualTo("hass");
        assertThat(one.keyValues()).isEqualTo("inference");
        assertThat(one.acceptance()).isEqualTo(recorder.acceptance.getLast());
        assertThat(one.tokens()).isGreaterThan(half.tokens());
        Curves.compare(folder.resolve("curves.png"), List.of(one, half));
        Curves.scaling(folder.resolve("scaling.png"), List.of(one, half));
        assertThat(folder.resolve("curves.png")).isNotEmptyFile();
        assertThat(folder.resolve("scaling.png")).isNotEmptyFile();
        assertThatThrownBy(() -> RunSummary.of(folder.resolve("training")))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("No checkpoint in");
    }

    private Path newestCheckpoint() {
        try (Stream<Path> all = Files.list(folder.resolve("out"))) {
            return all.filter(path -> path.getFileName().toString().startsWith("checkpoint-"))
                    .max(Path::compareTo)
                    .orElseThrow();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private Map<String, List<Float>> weights(String out) {
        Map<String, List<Float>> weights = new LinkedHashMap<>();
        for (Map.Entry<String, StoredTensor> tensor : FloatTensors.read(
                        folder.resolve(out).resolve("model.safetensors"))
                .entrySet()) {
            List<Float> values = new ArrayList<>();
            for (float value : tensor.getValue().floats()) {
                values.add(value);
            }
            weights.put(tensor.getKey(), values);
        }
        return weights;
    }

    private void train(TrainingPlan plan, String out, TrainingListener listener) {
        try (PointerScope _ = new PointerScope()) {
            trainer(plan, out, training(), listener).run(Optional.empty());
        }
    }

    private Trainer trainer(TrainingPlan plan, String out, FeatureCache training, TrainingListener listener) {
        return trainer(plan, out, training, listener, 2);
    }

    private Trainer trainer(
            TrainingPlan plan, String out, FeatureCache training, TrainingListener listener, int threads) {
        FrozenTarget target = FrozenTarget.of(TinyTarget.architecture(), EMBEDDING, HEAD);
        return new Trainer(
                plan,
                new RunSettings(5, 3, 1000, threads),
                SyntheticData.TARGET,
                target,
                DraftHead.full(target),
                training,
                validating(),
                folder.resolve(out),
                listener);
    }

    private FeatureCache training() {
        Path path = folder.resolve("training");
        return Files.exists(path) ? FeatureCache.open(path, key()) : SyntheticData.cache(path, HEAD, 11, 3, 40);
    }

    private FeatureCache validating() {
        Path path = folder.resolve("validating");
        return Files.exists(path) ? FeatureCache.open(path, key()) : SyntheticData.cache(path, HEAD, 12, 1, 10);
    }

    private static CacheKey key() {
        return new CacheKey("00.11", "test", "data", "answers", TinyTarget.HIDDEN, List.of(0, 1, 2));
    }

    private static TrainingPlan withOptimiser(TrainingPlan plan, OptimiserKind kind) {
        OptimiserPlan old = plan.optimiser();
        OptimiserPlan optimiser = new OptimiserPlan(
                kind,
                old.batchTokens(),
                old.warmUp(),
                old.beta1(),
                old.beta2(),
                old.weightDecay(),
                old.clip(),
                old.bf16());
        return new TrainingPlan(plan.model(), plan.first(), plan.second(), optimiser, plan.seed());
    }

    private static TrainingPlan plan(Recipe recipe, double firstEpochs, double secondEpochs) {
        return plan(recipe, firstEpochs, secondEpochs, 1e-2, 200);
    }

    private static TrainingPlan plan(
            Recipe recipe, double firstEpochs, double secondEpochs, double rate, int batchTokens) {
        List<Integer> mapping = recipe.defaultModules() == 2 ? List.of(0, 1) : List.of(0);
        List<Integer> layers = recipe.readsInnerLayers() ? List.of(0, 1, 2) : List.of();
        return new TrainingPlan(
                new ModelPlan(recipe, mapping, layers, 0, KeyValueMode.INFERENCE, true),
                new StagePlan(firstEpochs, rate, recipe.defaultSteps(), 1, true, 1, 1, HiddenLoss.SMOOTH_L1, 3, 0.1),
                new StagePlan(secondEpochs, rate, recipe.defaultSteps(), 0.9, false, 1, 0, HiddenLoss.MSE, 0, 0),
                new OptimiserPlan(OptimiserKind.ADAMW, batchTokens, 0.01, 0.9, 0.95, 0.01, 0.5, false),
                42);
    }

    private static class Recorder implements TrainingListener {
        private final List<double[]> steps = new ArrayList<>();
        private final List<Acceptance> acceptance = new ArrayList<>();

        List<Double> losses(int stage) {
            return steps.stream()
                    .filter(step -> step[0] == stage)
                    .map(step -> step[1])
                    .toList();
        }

        @Override
        public void onStage(int stage, long step, long all) {
            assertThat(step).isLessThanOrEqualTo(all);
        }

        @Override
        public void onStep(int stage, long step, long all, double loss) {
            steps.add(new double[] {stage, loss});
        }

        @Override
        public void onValidation(int stage, long step, double loss, Acceptance measured) {
            acceptance.add(measured);
        }
    }

    /** Stops a run as a kill would: nothing more is written after it. */
    private static final class Killer extends Recorder {
        private final int stage;
        private final long step;

        Killer(int stage, long step) {
            this.stage = stage;
            this.step = step;
        }

        @Override
        public void onStep(int runningStage, long runningStep, long all, double loss) {
            if (runningStage == stage && runningStep == step) {
                throw new Killed();
            }
        }
    }

    private static final class Killed extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }
}
