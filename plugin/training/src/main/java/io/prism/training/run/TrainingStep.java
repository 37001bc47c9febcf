package io.prism.training.run;

import io.prism.training.cache.Example;
import io.prism.training.loss.HeadLoss;
import io.prism.training.loss.HeadLoss.Labels;
import io.prism.training.loss.HeadLoss.Loss;
import io.prism.training.network.AlignedForward;
import io.prism.training.network.Autocast;
import io.prism.training.network.Batch;
import io.prism.training.network.DraftNetwork;
import io.prism.training.network.LibTorch;
import io.prism.training.optimise.Optimiser;
import io.prism.training.plan.HiddenLoss;
import io.prism.training.plan.StagePlan;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Forward, backward and update of a batch, which is split among workers. Tensors belong to the pointer scope around it. */
final class TrainingStep {
    private final StagePlan stage;
    private final DraftNetwork network;
    private final AlignedForward forward;
    private final HeadLoss headLoss;
    private final Optimiser optimiser;
    private final BatchAssembler assembler;
    private final Workers workers;
    private final boolean bf16;
    private final List<Tensor> parameters;
    /** Of each worker, one of each parameter. */
    private final List<List<Tensor>> gradients = new ArrayList<>();

    TrainingStep(
            StagePlan stage,
            DraftNetwork network,
            AlignedForward forward,
            HeadLoss headLoss,
            Optimiser optimiser,
            BatchAssembler assembler,
            Workers workers,
            boolean bf16) {
        this.stage = stage;
        this.network = network;
        this.forward = forward;
        this.headLoss = headLoss;
        this.optimiser = optimiser;
        this.assembler = assembler;
        this.workers = workers;
        this.bf16 = bf16;
        this.parameters = List.copyOf(network.parameters().tensors().values());
        for (int worker = 0; worker < workers.count(); worker++) {
            gradients.add(parameters.stream()
                    .map(parameter -> torch.empty(parameter.shape()))
                    .toList());
        }
    }

    /** Gives the loss. Nothing is updated if it is not finite. */
    double run(List<Example> examples, double learningRate) {
        long rows = examples.stream()
                .mapToLong(example -> example.answerPositions(stage.alignmentSteps()))
                .sum();
        if (rows == 0) {
            return 0;
        }
        List<Callable<Double>> tasks = new ArrayList<>();
        int parts = Math.min(workers.count(), examples.size());
        for (int part = 0; part < parts; part++) {
            List<Example> share =
                    examples.subList(examples.size() * part / parts, examples.size() * (part + 1) / parts);
            List<Tensor> into = gradients.get(part);
            tasks.add(() -> gradient(share, rows, into));
        }
        double value =
                workers.run(tasks).stream().mapToDouble(Double::doubleValue).sum();
        if (Double.isFinite(value)) {
            List<Tensor> total = gradients.getFirst();
            for (List<Tensor> part : gradients.subList(1, parts)) {
                for (int i = 0; i < total.size(); i++) {
                    total.get(i).add_(part.get(i));
                }
            }
            workers.run(optimiser.updates(total, learningRate).stream()
                    .map(Executors::callable)
                    .toList());
        }
        return value;
    }

    /**
     * Computes a share's part of the loss and its gradient.
     *
     * @param allRows rows of the whole batch, over which the loss is a mean
     * @param into one of each parameter
     */
    private double gradient(List<Example> examples, long allRows, List<Tensor> into) {
        try (PointerScope _ = new PointerScope()) {
            Batch batch = assembler.assemble(examples);
            long[] rows = batch.rows(stage.alignmentSteps());
            if (rows.length == 0) {
                into.forEach(Tensor::zero_);
                return 0;
            }
            Loss loss;
            try (Autocast _ = new Autocast(bf16)) {
                loss = loss(batch, rows);
            }
            double share = (double) rows.length / allRows;
            double value = share * loss.value();
            if (Double.isFinite(value)) {
                TensorVector found = torch.grad(
                        new TensorVector(LibTorch.scaled(loss.surrogate(), share)),
                        new TensorVector(parameters.toArray(new Tensor[0])),
                        new TensorVector(),
                        new BoolOptional(),
                        false,
                        true);
                for (int i = 0; i < into.size(); i++) {
                    Tensor part = found.get(i);
                    if (part.defined()) {
                        into.get(i).copy_(part);
                    } else {
                        into.get(i).zero_();
                    }
                }
            }
            return value;
        }
    }

    /** The weighted mean over the draft steps of what {@code rows} give. */
    private Loss loss(Batch batch, long[] rows) {
        Tensor index = LibTorch.tensor(rows, rows.length);
        Tensor wanted = batch.labels().index_select(0, index);
        Labels labels = headLoss.labels(wanted, network.ownHead().isEmpty());
        List<Tensor> outputs = forward.run(batch, stage.alignmentSteps(), stage.detached());
        double norm = 0;
        for (int step = 0; step < outputs.size(); step++) {
            norm += Math.pow(stage.stepDecay(), step);
        }
        double value = 0;
        List<Tensor> terms = new ArrayList<>();
        for (int step = 0; step < outputs.size(); step++) {
            double weight = Math.pow(stage.stepDecay(), step) / norm;
            Tensor states = outputs.get(step).view(-1, wanted.size(1)).index_select(0, index);
            Loss loss = headLoss.loss(network.headInput(states), labels, network.ownHead());
            value += weight * loss.value();
            terms.add(LibTorch.scaled(loss.surrogate(), weight));
            if (stage.hiddenWeight() > 0) {
                Tensor distance = stage.hiddenLoss() == HiddenLoss.MSE
                        ? torch.mse_loss(states, wanted)
                        : torch.smooth_l1_loss(states, wanted);
                value += weight * stage.hiddenWeight() * distance.item_double();
                terms.add(LibTorch.scaled(distance, weight * stage.hiddenWeight()));
            }
        }
        return new Loss(terms.stream().reduce(Tensor::add).orElseThrow(), value);
    }
}
