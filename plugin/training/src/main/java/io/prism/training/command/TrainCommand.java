package io.prism.training.command;

import io.prism.cli.CliCommand;
import io.prism.cli.model.ModelHosts;
import io.prism.config.PrismConfig;
import io.prism.drafter.format.StoredTensor;
import io.prism.kernels.KernelSelection;
import io.prism.spi.HostedModel;
import io.prism.spi.ModelHost.LoadOptions;
import io.prism.spi.PrismException;
import io.prism.spi.TargetDescription;
import io.prism.training.cache.CacheKey;
import io.prism.training.cache.FeatureCache;
import io.prism.training.capture.AnswerPlan;
import io.prism.training.capture.TargetCapture;
import io.prism.training.data.ConversationReader;
import io.prism.training.files.FloatTensors;
import io.prism.training.loss.DraftHead;
import io.prism.training.network.FrozenTarget;
import io.prism.training.network.LibTorch;
import io.prism.training.plan.ModelPlan;
import io.prism.training.plan.TrainingPlan;
import io.prism.training.run.Acceptance;
import io.prism.training.run.RunSettings;
import io.prism.training.run.Trainer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.bytedeco.javacpp.PointerScope;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Trains a drafter for a target. */
@Command(
        name = "train",
        description = {
            "Train a drafter for a model.",
            "The model answers the prompts itself; a drafter learns to guess its next tokens. Run the same command"
                    + " again to go on after an interruption. The folder --out is then a drafter: -Dprism.drafter=OUT."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
public final class TrainCommand implements CliCommand {
    /** Checkpoints kept at a time, and the one being written. */
    private static final int CHECKPOINTS = 3;

    /** LibTorch's code and what its allocator keeps, as seen with every recipe. */
    private static final long LIBTORCH_BYTES = 2L << 30;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--model", required = true, paramLabel = "DIR", description = "The target: a model folder or id.")
    private String model = "";

    @Option(
            names = "--out",
            required = true,
            paramLabel = "DIR",
            description = "Receives checkpoints, curves and the drafter.")
    private Path out = Path.of("");

    @Option(
            names = "--from",
            paramLabel = "DIR",
            description = "Start from the weights of a drafter or checkpoint, not from random ones.")
    private @Nullable Path from;

    @Mixin
    private DataOptions data = new DataOptions();

    @Mixin
    private DrafterOptions drafter = new DrafterOptions();

    @Mixin
    private StageOptions stages = new StageOptions();

    @Mixin
    private RunOptions run = new RunOptions();

    @Override
    public Integer call() {
        LibTorch.start();
        // the pass that answers must be the one that will run
        PrismConfig config = PrismConfig.load(Optional.of(Path.of(model)));
        LoadOptions options = new LoadOptions(
                KernelSelection.AUTO,
                Math.max(1, run.threads() / run.sessions()),
                true,
                config.activations(),
                KernelSelection.AUTO);
        try (StopSignal stop = new StopSignal();
                HostedModel hosted = ModelHosts.onClassPath().load(model, options);
                Display display = new Display(spec.commandLine().getErr(), stop)) {
            train(hosted, display);
            return 0;
        } catch (StopSignal.Stopped e) {
            spec.commandLine().getErr().println("Stopped. Run the same command again to go on.");
            return 1;
        }
    }

    private void train(HostedModel hosted, Display display) {
        TargetDescription target = hosted.target().description();
        TrainingPlan plan = plan(target);
        display.line("Target %s, %s", hosted.name(), hosted.target().engine());
        FeatureCache validating = captured(
                hosted,
                display,
                data.cache(out).resolve("validation"),
                data.validationData(),
                0,
                data.validation(run.seed(), target.contextLength()));
        FeatureCache training = captured(
                        hosted,
                        display,
                        data.cache(out).resolve("training"),
                        data.data(),
                        data.heldOut(),
                        data.training(run.seed(), target.contextLength()))
                .part(data.share());
        RunSettings settings = run.settings(training.key().width());
        try (PointerScope _ = new PointerScope()) {
            FrozenTarget frozen = FrozenTarget.of(hosted.target());
            DraftHead head = plan.model().draftVocabulary() == 0
                    ? DraftHead.full(frozen)
                    : DraftHead.reduced(
                            frozen,
                            TokenCounts.mostFrequent(
                                    training,
                                    target.vocabularySize(),
                                    plan.model().draftVocabulary()));
            Trainer trainer = new Trainer(plan, settings, target, frozen, head, training, validating, out, display);
            Estimate estimate = estimate(trainer, plan, target);
            display.line(
                    "Training on %d examples, %.2f million tokens: %s",
                    training.examples(), training.tokens() / 1e6, estimate.describe());
            estimate.requireRoom(out);
            Acceptance acceptance = trainer.run(Optional.ofNullable(from).map(TrainCommand::weights));
            display.close();
            display.line("Drafter in %s: chains of %.3f tokens per pass", out, acceptance.chainLength());
        }
    }

    private TrainingPlan plan(TargetDescription target) {
        ModelPlan modelPlan = drafter.plan(target.layers());
        return new TrainingPlan(
                modelPlan,
                stages.first(modelPlan.recipe(), target.hiddenSize()),
                stages.second(modelPlan.recipe(), target.hiddenSize()),
                run.optimiser(),
                run.seed());
    }

    private FeatureCache captured(
            HostedModel hosted, Display display, Path folder, Path file, long skip, AnswerPlan answers) {
        TargetDescription target = hosted.target().description();
        CacheKey key = new CacheKey(
                target.fingerprint(),
                precision(hosted),
                file.getFileName() + ", checksum " + Long.toHexString(ConversationReader.checksum(file)) + ", from "
                        + skip,
                answers.describe(),
                target.hiddenSize(),
                drafter.captured(target.layers()));
        FeatureCache cache = FeatureCache.open(folder, key);
        if (cache.isComplete()) {
            return cache;
        }
        TargetCapture capture = new TargetCapture(hosted, answers, run.sessions(), data.shardBytes());
        long left = Math.max(0, ConversationReader.count(file) - skip);
        long total = answers.conversations() == 0 ? left : Math.min(left, answers.conversations());
        Estimate estimate = estimate(capture.measure(file, skip), total - cache.conversations(), key.width());
        display.line("%d conversations to answer (%s): %s", total, folder.getFileName(), estimate.describe());
        estimate.requireRoom(folder);
        String what = "Answering (" + folder.getFileName() + ")";
        display.begin(what, cache.conversations(), total);
        long begin = System.nanoTime();
        capture.fill(
                cache,
                file,
                skip,
                answers.conversations(),
                (done, tokens) -> display.step(
                        what,
                        done,
                        total,
                        String.format(Locale.ROOT, "%.0f tokens/s", tokens / ((System.nanoTime() - begin) / 1e9))));
        display.close();
        return cache;
    }

    private Estimate estimate(TargetCapture.Pace pace, long conversations, int width) {
        return new Estimate(
                conversations * pace.seconds() / run.sessions(),
                0,
                2 * data.shardBytes(),
                conversations * FeatureCache.bytes((int) Math.ceil(pace.tokens()) + 1, width));
    }

    /** The engine's weights; threads, packing and such don't change what it computes. */
    private static String precision(HostedModel hosted) {
        String[] parts = hosted.target().engine().split(", ", -1);
        return parts.length > 2 ? parts[parts.length - 2] : hosted.target().engine();
    }

    private Estimate estimate(Trainer trainer, TrainingPlan plan, TargetDescription target) {
        List<OptionalLong> times = trainer.timeSteps();
        double seconds = trainer.steps(plan.first()) * times.get(0).orElse(0) / 1e9
                + trainer.steps(plan.second()) * times.get(1).orElse(0) / 1e9;
        long parameterBytes = Float.BYTES * trainer.parameters();
        long steps = Math.max(plan.first().alignmentSteps(), plan.second().alignmentSteps());
        // about 40 activations of the hidden size a step and position are kept for the backward pass
        long activations = 2L * run.batchTokens() * steps * 40 * target.hiddenSize() * Float.BYTES;
        long frozen = 2L * target.vocabularySize() * target.hiddenSize() * Float.BYTES;
        return new Estimate(
                0,
                seconds,
                LIBTORCH_BYTES + 4 * parameterBytes + activations + frozen + run.memoryBytes(),
                CHECKPOINTS * 3 * parameterBytes);
    }

    private static Map<String, StoredTensor> weights(Path folder) {
        Path file = folder.resolve("model.safetensors");
        if (!Files.isRegularFile(file)) {
            throw new PrismException(
                    "No " + file + " to start from: expected the folder of a drafter or a checkpoint.");
        }
        return FloatTensors.read(file);
    }
}
