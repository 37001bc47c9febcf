package io.prism.training.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.prism.training.loss.HeadLoss.Labels;
import io.prism.training.loss.HeadLoss.Loss;
import io.prism.training.network.LibTorch;
import io.prism.training.network.TinyTarget;
import io.prism.training.plan.HiddenLoss;
import io.prism.training.plan.StagePlan;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HeadLossTest {
    /** F32 against F32 in another order of summation, values of size 1 to 10. */
    private static final double TOLERANCE = 2e-5;

    private static final int ROWS = 37;
    private static final StagePlan STAGE = new StagePlan(1, 1e-3, 1, 1, true, 0.7, 0, HiddenLoss.MSE, 4, 0.3);

    @BeforeAll
    static void start() {
        LibTorch.start();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void lossAndGradientsAreThoseOfSoftTargetAndTopKCrossEntropy(boolean ownHead) {
        try (PointerScope _ = new PointerScope()) {
            Tensor head = random(1, TinyTarget.VOCABULARY);
            Tensor own = random(2, TinyTarget.VOCABULARY).set_requires_grad(true);
            Tensor hidden = random(3, ROWS);
            Tensor states = random(4, ROWS).set_requires_grad(true);
            Tensor mine = ownHead ? own : head;

            HeadLoss headLoss = new HeadLoss(new DraftHead(head, Optional.empty()), STAGE);
            Labels labels = headLoss.labels(hidden, !ownHead);
            Loss loss = headLoss.loss(states, labels, ownHead ? Optional.of(own) : Optional.empty());
            loss.surrogate().backward();
            float[] byState = LibTorch.floats(states.grad());
            float[] byHead = ownHead ? LibTorch.floats(own.grad()) : new float[0];
            states.mutable_grad().zero_();
            if (ownHead) {
                own.mutable_grad().zero_();
            }

            Tensor expected =
                    plain(torch.linear(states, mine), torch.linear(hidden, head).softmax(-1));
            expected.backward();
            assertThat(loss.value()).isCloseTo(expected.item_double(), within(TOLERANCE));
            assertThat(byState).containsExactly(LibTorch.floats(states.grad()), within((float) TOLERANCE));
            if (ownHead) {
                assertThat(byHead).containsExactly(LibTorch.floats(own.grad()), within((float) TOLERANCE));
            }
        }
    }

    private static Tensor plain(Tensor logits, Tensor wanted) {
        Tensor log = logits.log_softmax(-1);
        T_TensorTensor_T top = torch.topk(wanted, STAGE.topTokens(), -1, true, true);
        Tensor all = wanted.mul(log).sum(-1L).mean().neg();
        Tensor topOnly =
                top.get0().mul(log.gather(1, top.get1())).sum(-1L).mean().neg();
        return all.mul(new Scalar(STAGE.crossEntropyWeight())).add(topOnly.mul(new Scalar(STAGE.topWeight())));
    }

    private static Tensor random(long seed, int rows) {
        return LibTorch.tensor(TinyTarget.random(seed, rows * TinyTarget.HIDDEN, 1), rows, TinyTarget.HIDDEN);
    }
}
