package io.prism.training.optimise;

import io.prism.drafter.format.StoredTensor;
import io.prism.training.plan.OptimiserPlan;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;

/** AdamW (Loshchilov and Hutter 2019). Weight decay is for matrices only. */
final class AdamW implements Optimiser {
    private static final double EPSILON = 1e-8;

    private final Map<String, Tensor> parameters;
    private final OptimiserPlan plan;
    private final State means;
    private final State squares;
    private long steps;

    AdamW(Map<String, Tensor> parameters, OptimiserPlan plan) {
        this.parameters = parameters;
        this.plan = plan;
        this.means = new State("mean.", parameters);
        this.squares = new State("square.", parameters);
    }

    @Override
    public List<Runnable> updates(List<Tensor> gradients, double learningRate) {
        steps++;
        List<Runnable> updates = new ArrayList<>();
        Iterator<Tensor> next = gradients.iterator();
        parameters.forEach((name, parameter) -> {
            Tensor gradient = next.next();
            updates.add(() -> update(parameter, gradient, means.of(name), squares.of(name), learningRate));
        });
        return updates;
    }

    private void update(Tensor parameter, Tensor gradient, Tensor mean, Tensor square, double learningRate) {
        double meanCorrection = 1 - Math.pow(plan.beta1(), steps);
        double squareCorrection = 1 - Math.pow(plan.beta2(), steps);
        try (NoGradGuard _ = new NoGradGuard();
                PointerScope _ = new PointerScope()) {
            gradient.clamp_(new ScalarOptional(new Scalar(-plan.clip())), new ScalarOptional(new Scalar(plan.clip())));
            mean.mul_(new Scalar(plan.beta1())).add_(gradient, new Scalar(1 - plan.beta1()));
            square.mul_(new Scalar(plan.beta2())).addcmul_(gradient, gradient, new Scalar(1 - plan.beta2()));
            Tensor weights = parameter.detach();
            if (plan.weightDecay() > 0 && weights.dim() > 1) {
                weights.mul_(new Scalar(1 - learningRate * plan.weightDecay()));
            }
            Tensor divisor = square.sqrt()
                    .mul_(new Scalar(1 / Math.sqrt(squareCorrection)))
                    .add_(new Scalar(EPSILON));
            weights.addcdiv_(mean, divisor, new Scalar(-learningRate / meanCorrection));
        }
    }

    @Override
    public Map<String, StoredTensor> save() {
        Map<String, StoredTensor> saved = new LinkedHashMap<>();
        means.save(saved);
        squares.save(saved);
        return saved;
    }

    @Override
    public void load(Map<String, StoredTensor> saved, long steps) {
        means.load(saved);
        squares.load(saved);
        this.steps = steps;
    }
}
