package io.prism.training.run;

import io.prism.drafter.format.StoredTensor;
import io.prism.spi.PrismException;
import io.prism.spi.TargetDescription;
import io.prism.training.cache.BatchReader;
import io.prism.training.cache.EpochOrder;
import io.prism.training.cache.Example;
import io.prism.training.cache.FeatureCache;
import io.prism.training.loss.DraftHead;
import io.prism.training.loss.HeadLoss;
import io.prism.training.network.AlignedForward;
import io.prism.training.network.Batch;
import io.prism.training.network.DraftNetwork;
import io.prism.training.network.Eagle3Network;
import io.prism.training.network.FrozenTarget;
import io.prism.training.network.InputGains;
import io.prism.training.network.LibTorch;
import io.prism.training.network.PrismNetwork;
import io.prism.training.optimise.LinearSchedule;
import io.prism.training.optimise.Optimiser;
import io.prism.training.plan.ModelPlan;
import io.prism.training.plan.Recipe;
import io.prism.training.plan.StagePlan;
import io.prism.training.plan.TrainingPlan;
import io.prism.training.run.Progress.Point;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Trains a drafter from cached hidden states (PRISM, section 4): stage 1 warms up one module, stage 2 copies it into all
 * and trains each on its steps. Single use; not thread-safe.
 *
 * <p>The same plan, data and number of threads give the same weights, whether or not the run was interrupted.
 */
public final class Trainer {
    private final TrainingPlan plan;
    private final RunSettings settings;
    private final TargetDescription description;
    private final FrozenTarget target;
    private final DraftHead head;
    private final Path out;
    private final TrainingListener listener;
    private final BatchReader batches;
    private final BatchAssembler assembler;
    private final Validation validation;
    private final Checkpoints checkpoints;
    private final DrafterFolder drafter;
    private final List<Point> history = new ArrayList<>();
    private long tokens;

    /**
     * @param target its tensors must outlive the run
     * @param head what can be drafted
     * @param training examples; complete
     * @param validating examples kept apart; complete
     * @param out receives checkpoints, curves and the drafter
     */
    public Trainer(
            TrainingPlan plan,
            RunSettings settings,
            TargetDescription description,
            FrozenTarget target,
            DraftHead head,
            FeatureCache training,
            FeatureCache validating,
            Path out,
            TrainingListener listener) {
        this.plan = plan;
        this.settings = settings;
        this.description = description;
        this.target = target;
        this.head = head;
        this.out = out;
        this.listener = listener;
        this.batches = new BatchReader(
                training,
                epoch -> EpochOrder.of(
                        training.shards(),
                        plan.optimiser().batchTokens(),
                        settings.blockTokens(),
                        plan.seed() * 1_000_003 + epoch));
        this.assembler = assembler(training, plan.model());
        this.validation = new Validation(
                target,
                assembler(validating, plan.model()),
                validating,
                plan.optimiser().batchTokens(),
                settings.validationSteps());
        this.checkpoints = new Checkpoints(out, plan);
        this.drafter = new DrafterFolder(description, head.tokens());
    }

    private BatchAssembler assembler(FeatureCache cache, ModelPlan model) {
        List<Integer> cached = cache.key().innerLayers();
        List<Integer> used = model.innerLayers().stream().map(cached::indexOf).toList();
        if (used.contains(-1)) {
            throw new PrismException("The drafter reads the target's layers " + model.innerLayers()
                    + ", but the cache holds " + cached + ". Capture them with --capture-layers and another --cache.");
        }
        return new BatchAssembler(description.hiddenSize(), cached.size(), used);
    }

    /**
     * Runs what is left of both stages and writes the drafter.
     *
     * @param from weights to start from; empty for random ones
     * @throws PrismException if the loss is no number, the cache is damaged or the disk full; the last checkpoint stays
     */
    public Acceptance run(Optional<Map<String, StoredTensor>> from) {
        try (Workers workers = new Workers(settings.threads())) {
            return run(from, workers);
        }
    }

    private Acceptance run(Optional<Map<String, StoredTensor>> from, Workers workers) {
        Optional<Checkpoints.Saved> saved = checkpoints.latest();
        saved.ifPresent(found -> {
            history.addAll(found.progress().history());
            tokens = found.tokens();
        });
        boolean secondStage = plan.second().epochs() > 0;
        Optional<Map<String, StoredTensor>> start = from;
        Acceptance acceptance = new Acceptance(List.of());
        if (saved.isEmpty() || saved.get().progress().stage() == 1) {
            if (plan.first().epochs() > 0) {
                try (PointerScope _ = new PointerScope()) {
                    ModelPlan model = secondStage ? plan.model().warmUp() : plan.model();
                    DraftNetwork network = network(model);
                    acceptance = runStage(1, model, plan.first(), network, from, saved, workers);
                    start = Optional.of(network.parameters().save());
                    if (!secondStage) {
                        finish(network, model, acceptance);
                    }
                }
            }
            saved = Optional.empty();
        }
        if (secondStage) {
            try (PointerScope _ = new PointerScope()) {
                DraftNetwork network = network(plan.model());
                acceptance = runStage(2, plan.model(), plan.second(), network, start, saved, workers);
                finish(network, plan.model(), acceptance);
            }
        }
        return acceptance;
    }

    /** Steps of a stage. */
    public long steps(StagePlan stage) {
        return stage.epochs() == 0 ? 0 : Math.max(1, Math.round(stage.epochs() * batches.batches(0)));
    }

    /** Elements of all weights of the drafter. */
    public long parameters() {
        try (PointerScope _ = new PointerScope()) {
            return network(plan.model()).parameters().elements();
        }
    }

    /** Nanoseconds of a step of each stage, the second of two tried on the first batch; nothing is kept. */
    public List<OptionalLong> timeSteps() {
        List<OptionalLong> times = new ArrayList<>();
        try (Workers workers = new Workers(settings.threads())) {
            for (StagePlan stage : List.of(plan.first(), plan.second())) {
                if (stage.epochs() == 0) {
                    times.add(OptionalLong.empty());
                    continue;
                }
                try (PointerScope _ = new PointerScope()) {
                    ModelPlan model = stage == plan.first() && plan.second().epochs() > 0
                            ? plan.model().warmUp()
                            : plan.model();
                    DraftNetwork network = network(model);
                    TrainingStep trainingStep =
                            trainingStep(stage, model, network, Optimiser.of(network, plan.optimiser()), workers);
                    List<Example> examples = batches.batch(0, 0);
                    trainingStep.run(examples, 0);
                    long begin = System.nanoTime();
                    trainingStep.run(examples, 0);
                    times.add(OptionalLong.of(System.nanoTime() - begin));
                }
            }
        }
        return times;
    }

    private TrainingStep trainingStep(
            StagePlan stage, ModelPlan model, DraftNetwork network, Optimiser optimiser, Workers workers) {
        return new TrainingStep(
                stage,
                network,
                new AlignedForward(network, model, model.keyValues(), target),
                new HeadLoss(head, stage),
                optimiser,
                assembler,
                workers,
                plan.optimiser().bf16());
    }

    private DraftNetwork network(ModelPlan model) {
        return model.recipe() == Recipe.EAGLE3
                ? new Eagle3Network(target.architecture(), model, head.matrix(), plan.seed())
                : new PrismNetwork(target.architecture(), model, inputGains(), plan.seed());
    }

    /** Of the first batch. */
    private InputGains inputGains() {
        try (PointerScope _ = new PointerScope()) {
            Batch batch = assembler.assemble(batches.batch(0, 0));
            double states = rootMeanSquare(batch.labels());
            long hidden = target.architecture().hiddenSize();
            return new InputGains(
                    gain(states, rootMeanSquare(target.embedding())),
                    batch.inner()
                            .map(inner -> gain(states, rootMeanSquare(inner.narrow(2, 2 * hidden, hidden))))
                            .orElse(1.0));
        }
    }

    private static double gain(double wanted, double found) {
        return found == 0 ? 1 : wanted / found;
    }

    /** Padding, which is zeros, left out. */
    private static double rootMeanSquare(Tensor tensor) {
        double elements = tensor.ne(new Scalar(0)).sum().item_double();
        return elements == 0 ? 0 : Math.sqrt(tensor.square().sum().item_double() / elements);
    }

    private Acceptance runStage(
            int stage,
            ModelPlan model,
            StagePlan stagePlan,
            DraftNetwork network,
            Optional<Map<String, StoredTensor>> start,
            Optional<Checkpoints.Saved> saved,
            Workers workers) {
        Optimiser optimiser = Optimiser.of(network, plan.optimiser());
        TrainingStep trainingStep = trainingStep(stagePlan, model, network, optimiser, workers);
        HeadLoss loss = new HeadLoss(head, stagePlan);
        long steps = steps(stagePlan);
        long step = 0;
        if (saved.isPresent()) {
            network.parameters().load(saved.get().weights());
            step = saved.get().progress().step();
            optimiser.load(saved.get().optimiser(), step);
        } else {
            start.ifPresent(network::startFrom);
        }
        listener.onStage(stage, step, steps);
        LinearSchedule schedule = new LinearSchedule(
                stagePlan.learningRate(), steps, plan.optimiser().warmUp());
        Acceptance acceptance = step > 0 && step < steps
                ? new Acceptance(List.of())
                : measure(
                        stage,
                        step,
                        network,
                        model,
                        loss,
                        workers,
                        history.isEmpty() ? 0 : history.getLast().loss());
        EpochCursor cursor = new EpochCursor(batches, step);
        double sum = 0;
        long summed = 0;
        while (step < steps) {
            List<Example> examples = cursor.next();
            double value = trainingStep.run(examples, schedule.rate(step));
            if (!Double.isFinite(value)) {
                throw diverged(stage, step, stagePlan);
            }
            step++;
            tokens += answerTokens(examples);
            sum += value;
            summed++;
            LibTorch.releaseFreedMemory(step);
            listener.onStep(stage, step, steps, value);
            if (step % settings.checkpointSteps() == 0 || step == steps) {
                requireFinite(network, stage, step, stagePlan);
                acceptance = measure(stage, step, network, model, loss, workers, sum / summed);
                sum = 0;
                summed = 0;
                checkpoints.write(new Progress(stage, step, history), tokens, network, optimiser, drafter, model);
                Curves.write(out, history);
            }
        }
        return acceptance;
    }

    private Acceptance measure(
            int stage,
            long step,
            DraftNetwork network,
            ModelPlan model,
            HeadLoss loss,
            Workers workers,
            double meanLoss) {
        Acceptance acceptance = validation.measure(network, model, loss, workers);
        if (step > 0) {
            long before = stage == 1 || plan.first().epochs() == 0 ? 0 : steps(plan.first());
            if (history.isEmpty()
                    || history.getLast().stage() != stage
                    || history.getLast().step() != step) {
                history.add(new Point(stage, step, before + step, tokens, meanLoss, acceptance.marginal()));
            }
        }
        listener.onValidation(stage, step, meanLoss, acceptance);
        return acceptance;
    }

    private static long answerTokens(List<Example> examples) {
        return examples.stream()
                .mapToLong(example -> example.answerPositions(1))
                .sum();
    }

    private void requireFinite(DraftNetwork network, int stage, long step, StagePlan stagePlan) {
        for (Tensor tensor : network.parameters().tensors().values()) {
            try (PointerScope _ = new PointerScope()) {
                if (tensor.detach().isfinite().all().item_double() == 0) {
                    throw diverged(stage, step, stagePlan);
                }
            }
        }
    }

    private PrismException diverged(int stage, long step, StagePlan stagePlan) {
        Optional<Path> last = checkpoints.latest().map(Checkpoints.Saved::folder);
        return new PrismException("Training diverged: the loss or a weight is no finite number after step " + step
                + " of stage " + stage + " at a learning rate of up to " + stagePlan.learningRate() + ". "
                + last.map(path -> "The last checkpoint, " + path + ", is usable as it is. ")
                        .orElse("")
                + "Train with a lower learning rate (--learning-rate" + (stage == 2 ? "-2" : "") + "), to another --out"
                + last.map(path -> ", from the checkpoint's weights with --from " + path)
                        .orElse("") + ".");
    }

    private void finish(DraftNetwork network, ModelPlan model, Acceptance acceptance) {
        Map<String, String> notes = new LinkedHashMap<>();
        notes.put("recipe", model.recipe().label());
        notes.put("key_values", model.keyValues().name().toLowerCase(Locale.ROOT));
        notes.put("answer_tokens", "" + tokens);
        notes.put("validation_marginal_acceptance", acceptance.marginal().toString());
        drafter.write(out, network, model, notes);
        Curves.write(out, history);
    }
}
