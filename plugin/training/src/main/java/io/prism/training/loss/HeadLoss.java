package io.prism.training.loss;

import io.prism.training.network.LibTorch;
import io.prism.training.plan.StagePlan;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Cross entropy against the target's own distribution, and HASS's top-K distillation, with their gradients computed by
 * hand in chunks of rows: logits never exist for more than a chunk.
 *
 * <p>With label weights q (not necessarily a distribution), mass m = sum q and logits z = H o, the loss of a row is
 * m logsumexp(z) - q.z and its gradient by o is m H^T softmax(z) - H^T q. While the head is the target's, q.z = o.(H^T q),
 * so that all draft steps share the one product H^T q.
 */
public final class HeadLoss {
    /** A chunk's logits stay in the cache: 512 rows were quickest of 128 to 2048 at 4096 tokens. */
    private static final int CHUNK_ELEMENTS = 512 * 4096;

    private final DraftHead head;
    private final StagePlan stage;
    private final int chunk;

    public HeadLoss(DraftHead head, StagePlan stage) {
        this.head = head;
        this.stage = stage;
        this.chunk = (int) Math.max(16, CHUNK_ELEMENTS / head.matrix().size(0));
    }

    /**
     * What drafts are compared with.
     *
     * @param hidden [N, d], the target's hidden states
     * @param expected [N, d], H^T q; empty if the drafter has its own head
     * @param mass [N]
     */
    public record Labels(Tensor hidden, Optional<Tensor> expected, Tensor mass) {}

    /**
     * @param surrogate differentiable; its gradient, not its value, is that of the loss
     * @param value the loss
     */
    public record Loss(Tensor surrogate, double value) {}

    /** @param shared whether drafts go through the target's head, not one of their own */
    public Labels labels(Tensor hidden, boolean shared) {
        try (NoGradGuard _ = new NoGradGuard()) {
            long rows = hidden.size(0);
            Tensor expected = shared ? torch.empty(rows, hidden.size(1)) : null;
            Tensor mass = torch.empty(rows);
            for (long first = 0; first < rows; first += chunk) {
                long count = Math.min(chunk, rows - first);
                try (PointerScope _ = new PointerScope()) {
                    Tensor weights = labelWeights(hidden.narrow(0, first, count));
                    mass.narrow(0, first, count).copy_(weights.sum(-1L));
                    if (expected != null) {
                        expected.narrow(0, first, count).copy_(weights.matmul(head.matrix()));
                    }
                }
            }
            return new Labels(hidden, Optional.ofNullable(expected), mass);
        }
    }

    /**
     * Mean loss of a step.
     *
     * @param states [N, d], what the head multiplies
     * @param ownHead the drafter's own head
     */
    public Loss loss(Tensor states, Labels labels, Optional<Tensor> ownHead) {
        long rows = states.size(0);
        Tensor weight = ownHead.orElse(head.matrix()).detach();
        Tensor stateGradient;
        Tensor headGradient;
        double value = 0;
        try (NoGradGuard _ = new NoGradGuard()) {
            Tensor inputs = states.detach();
            stateGradient = torch.empty(rows, states.size(1));
            headGradient = ownHead.isPresent() ? torch.zeros(weight.shape()) : null;
            for (long first = 0; first < rows; first += chunk) {
                long count = Math.min(chunk, rows - first);
                try (PointerScope _ = new PointerScope()) {
                    Tensor input = inputs.narrow(0, first, count);
                    Tensor mass = labels.mass().narrow(0, first, count);
                    Tensor logits = torch.linear(input, weight);
                    Tensor probabilities = logits.softmax(-1);
                    // log of the sum from the largest element: one pass less than logsumexp
                    Tensor logSum = logits.amax(new long[] {-1}, false)
                            .sub(probabilities.amax(new long[] {-1}, false).log_());
                    Tensor weighted = probabilities.mul_(mass.unsqueeze(1));
                    Tensor dot;
                    Tensor gradient;
                    if (headGradient == null) {
                        Tensor expected = labels.expected().orElseThrow().narrow(0, first, count);
                        dot = input.mul(expected).sum(-1L);
                        gradient = weighted.matmul(weight).to(ScalarType.Float).sub_(expected);
                    } else {
                        Tensor wanted = labelWeights(labels.hidden().narrow(0, first, count));
                        dot = logits.mul(wanted).sum(-1L);
                        Tensor byLogit = weighted.sub_(wanted);
                        gradient = byLogit.matmul(weight).to(ScalarType.Float);
                        headGradient.add_(byLogit.t().matmul(input));
                    }
                    value += mass.mul(logSum).sub(dot).sum().item_double();
                    stateGradient.narrow(0, first, count).copy_(gradient);
                }
            }
            stateGradient.mul_(new Scalar(1.0 / rows));
        }
        Tensor surrogate = states.mul(stateGradient).sum();
        if (headGradient != null) {
            headGradient.mul_(new Scalar(1.0 / rows));
            surrogate = surrogate.add(ownHead.orElseThrow().mul(headGradient).sum());
        }
        return new Loss(surrogate, value / rows);
    }

    /**
     * Most probable tokens.
     *
     * @param states [N, d], what the head multiplies
     */
    public long[] bestTokens(Tensor states, Optional<Tensor> ownHead) {
        long[] best = bestRows(states, ownHead.orElse(head.matrix()));
        head.toTokens(best);
        return best;
    }

    /** As {@link #bestTokens} for rows of any head. */
    public static long[] bestRows(Tensor states, Tensor matrix) {
        int chunk = (int) Math.max(16, CHUNK_ELEMENTS / matrix.size(0));
        long rows = states.size(0);
        long[] best = new long[Math.toIntExact(rows)];
        try (NoGradGuard _ = new NoGradGuard()) {
            for (long first = 0; first < rows; first += chunk) {
                long count = Math.min(chunk, rows - first);
                try (PointerScope _ = new PointerScope()) {
                    Tensor logits = torch.linear(states.narrow(0, first, count), matrix);
                    long[] part =
                            LibTorch.longs(torch.argmax(logits, new org.bytedeco.pytorch.LongOptional(-1), false));
                    System.arraycopy(part, 0, best, (int) first, part.length);
                }
            }
        }
        return best;
    }

    /** q: the target's softmax and, over its K most probable tokens, once more, each by its weight. */
    private Tensor labelWeights(Tensor hidden) {
        Tensor distribution = torch.linear(hidden, head.matrix()).softmax(-1);
        if (stage.topTokens() == 0 || stage.topWeight() == 0) {
            return LibTorch.scaled(distribution, stage.crossEntropyWeight());
        }
        T_TensorTensor_T top = torch.topk(
                distribution, Math.min(stage.topTokens(), head.matrix().size(0)), -1, true, false);
        Tensor topOnly = torch.zeros_like(distribution).scatter_(1, top.get1(), top.get0());
        return distribution
                .mul_(new Scalar(stage.crossEntropyWeight()))
                .add_(topOnly.mul_(new Scalar(stage.topWeight())));
    }
}
