package io.prism.training.optimise;

import io.prism.drafter.format.StoredTensor;
import io.prism.training.network.DraftNetwork;
import io.prism.training.plan.OptimiserPlan;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon): the update of a matrix is its gradients' running mean
 * with all singular values brought near 1, so that directions in which gradients are small are learned as fast as others. Vectors
 * and a head of the drafter's own are left to {@link AdamW}.
 *
 * <p>An update is scaled to the same root mean square for matrices of any shape (Liu et al. 2025, arXiv 2502.16982, section 2.2),
 * which is near that of AdamW: one learning rate serves both.
 */
final class Muon implements Optimiser {
    private static final double MOMENTUM = 0.95;

    /**
     * Root mean square of an update, in learning rates. Liu et al. take 0.2; drafters of a target of hidden size 256 learned faster
     * with twice that.
     */
    private static final double UPDATE_SIZE = 0.4;

    /** Iterations that bring singular values near 1, and the polynomial's coefficients, all Jordan et al.'s. */
    private static final int ITERATIONS = 5;

    private static final double LINEAR = 3.4445;
    private static final double CUBIC = -4.7750;
    private static final double QUINTIC = 2.0315;

    private static final double EPSILON = 1e-12;

    private final List<String> names;
    private final Map<String, Tensor> matrices = new LinkedHashMap<>();
    private final State momentum;
    private final AdamW others;
    private final OptimiserPlan plan;

    Muon(DraftNetwork network, OptimiserPlan plan) {
        this.plan = plan;
        Map<String, Tensor> parameters = network.parameters().tensors();
        names = List.copyOf(parameters.keySet());
        Map<String, Tensor> left = new LinkedHashMap<>();
        parameters.forEach((name, tensor) -> {
            boolean head = network.ownHead().filter(tensor::equals).isPresent();
            (tensor.dim() == 2 && !head ? matrices : left).put(name, tensor);
        });
        momentum = new State("momentum.", matrices);
        others = new AdamW(left, plan);
    }

    @Override
    public List<Runnable> updates(List<Tensor> gradients, double learningRate) {
        record Update(long elements, Runnable work) {}
        List<Update> own = new ArrayList<>();
        List<Tensor> left = new ArrayList<>();
        Iterator<Tensor> next = gradients.iterator();
        for (String name : names) {
            Tensor gradient = next.next();
            Tensor matrix = matrices.get(name);
            if (matrix == null) {
                left.add(gradient);
            } else {
                own.add(new Update(matrix.numel(), () -> update(matrix, gradient, momentum.of(name), learningRate)));
            }
        }
        own.sort(Comparator.comparingLong(Update::elements).reversed());
        return Stream.concat(own.stream().map(Update::work), others.updates(left, learningRate).stream())
                .toList();
    }

    private void update(Tensor parameter, Tensor gradient, Tensor mean, double learningRate) {
        try (NoGradGuard _ = new NoGradGuard();
                PointerScope _ = new PointerScope()) {
            gradient.clamp_(new ScalarOptional(new Scalar(-plan.clip())), new ScalarOptional(new Scalar(plan.clip())));
            mean.mul_(new Scalar(MOMENTUM)).add_(gradient, new Scalar(1 - MOMENTUM));
            // Nesterov's: where the mean will be if the next gradient is as this one
            Tensor ahead = gradient.mul(new Scalar(1 - MOMENTUM)).add_(mean, new Scalar(MOMENTUM));
            Tensor matrix = parameter.detach();
            boolean tall = matrix.size(0) > matrix.size(1);
            Tensor wide = tall ? ahead.t().contiguous() : ahead;
            Tensor direction = orthogonalised(plan.bf16() ? wide.to(ScalarType.BFloat16) : wide);
            double size = UPDATE_SIZE * Math.sqrt(Math.max(matrix.size(0), matrix.size(1)));
            matrix.mul_(new Scalar(1 - learningRate * plan.weightDecay()))
                    .add_((tall ? direction.t() : direction).to(ScalarType.Float), new Scalar(-learningRate * size));
        }
    }

    /**
     * U V^T of the singular value decomposition U S V^T, but for singular values between 0.7 and 1.2.
     *
     * @param wide [rows, columns], no more rows than columns
     */
    static Tensor orthogonalised(Tensor wide) {
        Tensor x = wide.div(wide.norm().add(new Scalar(EPSILON)));
        for (int i = 0; i < ITERATIONS; i++) {
            Tensor square = x.matmul(x.t());
            Tensor factor = square.mul(new Scalar(CUBIC)).add_(square.matmul(square), new Scalar(QUINTIC));
            x = x.mul(new Scalar(LINEAR)).add_(factor.matmul(x));
        }
        return x;
    }

    @Override
    public Map<String, StoredTensor> save() {
        Map<String, StoredTensor> saved = others.save();
        momentum.save(saved);
        return saved;
    }

    @Override
    public void load(Map<String, StoredTensor> saved, long steps) {
        momentum.load(saved);
        others.load(saved, steps);
    }
}
