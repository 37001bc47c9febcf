package io.prism.training.optimise;

import io.prism.drafter.format.StoredTensor;
import io.prism.spi.PrismException;
import io.prism.training.network.LibTorch;
import io.prism.training.network.Parameters;
import io.prism.training.plan.OptimiserPlan;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * AdamW (Loshchilov and Hutter 2019) whose state can be saved and taken up again exactly. Weight decay is for matrices
 * only. Tensors belong to the pointer scope that encloses the constructor.
 */
public final class AdamW {
    private static final double EPSILON = 1e-8;
    private static final String MEAN = "mean.";
    private static final String SQUARE = "square.";

    private final Parameters parameters;
    private final OptimiserPlan plan;
    private final Map<String, Tensor> means = new LinkedHashMap<>();
    private final Map<String, Tensor> squares = new LinkedHashMap<>();
    private long steps;

    public AdamW(Parameters parameters, OptimiserPlan plan) {
        this.parameters = parameters;
        this.plan = plan;
        parameters.tensors().forEach((name, tensor) -> {
            means.put(name, torch.zeros(tensor.shape()));
            squares.put(name, torch.zeros(tensor.shape()));
        });
    }

    /**
     * Updates the parameters.
     *
     * @param gradients one of each parameter, in order; clipped in place
     */
    public void step(List<Tensor> gradients, double learningRate) {
        steps++;
        double meanCorrection = 1 - Math.pow(plan.beta1(), steps);
        double squareCorrection = 1 - Math.pow(plan.beta2(), steps);
        ScalarOptional low = new ScalarOptional(new Scalar(-plan.clip()));
        ScalarOptional high = new ScalarOptional(new Scalar(plan.clip()));
        try (NoGradGuard _ = new NoGradGuard()) {
            Iterator<Tensor> next = gradients.iterator();
            for (Map.Entry<String, Tensor> parameter : parameters.tensors().entrySet()) {
                try (PointerScope _ = new PointerScope()) {
                    Tensor gradient = next.next();
                    gradient.clamp_(low, high);
                    Tensor mean = means.get(parameter.getKey());
                    Tensor square = squares.get(parameter.getKey());
                    mean.mul_(new Scalar(plan.beta1())).add_(gradient, new Scalar(1 - plan.beta1()));
                    square.mul_(new Scalar(plan.beta2())).addcmul_(gradient, gradient, new Scalar(1 - plan.beta2()));
                    Tensor weights = parameter.getValue().detach();
                    if (plan.weightDecay() > 0 && weights.dim() > 1) {
                        weights.mul_(new Scalar(1 - learningRate * plan.weightDecay()));
                    }
                    Tensor divisor = square.sqrt()
                            .mul_(new Scalar(1 / Math.sqrt(squareCorrection)))
                            .add_(new Scalar(EPSILON));
                    weights.addcdiv_(mean, divisor, new Scalar(-learningRate / meanCorrection));
                }
            }
        }
    }

    /** Moments by parameter; the count of steps is the caller's to keep. */
    public Map<String, StoredTensor> save() {
        Map<String, StoredTensor> saved = new LinkedHashMap<>();
        means.forEach((name, tensor) ->
                saved.put(MEAN + name, StoredTensor.ofFloats(LibTorch.floats(tensor), tensor.shape())));
        squares.forEach((name, tensor) ->
                saved.put(SQUARE + name, StoredTensor.ofFloats(LibTorch.floats(tensor), tensor.shape())));
        return saved;
    }

    /**
     * Takes up a saved state.
     *
     * @param steps how often {@link #step} had been called
     * @throws PrismException if it is another drafter's
     */
    public void load(Map<String, StoredTensor> saved, long steps) {
        means.forEach((name, tensor) -> copy(MEAN + name, tensor, saved));
        squares.forEach((name, tensor) -> copy(SQUARE + name, tensor, saved));
        this.steps = steps;
    }

    private static void copy(String name, Tensor tensor, Map<String, StoredTensor> saved) {
        StoredTensor entry = saved.get(name);
        if (entry == null || !entry.shape().equals(LibTorch.shape(tensor))) {
            throw new PrismException("The checkpoint's optimiser state does not fit the drafter at " + name
                    + ": it belongs to another run. Delete the checkpoint folders to begin anew.");
        }
        tensor.copy_(LibTorch.tensor(entry.floats(), tensor.shape()));
    }
}
