package io.prism.training.optimise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.prism.training.network.Eagle3Network;
import io.prism.training.network.LibTorch;
import io.prism.training.network.TinyTarget;
import io.prism.training.plan.KeyValueMode;
import io.prism.training.plan.ModelPlan;
import io.prism.training.plan.OptimiserKind;
import io.prism.training.plan.OptimiserPlan;
import io.prism.training.plan.Recipe;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MuonTest {
    private static final double RATE = 1e-3;
    private static final OptimiserPlan PLAN =
            new OptimiserPlan(OptimiserKind.MUON, 200, 0.01, 0.9, 0.95, 0, 1e9, false);

    @BeforeAll
    static void start() {
        LibTorch.start();
    }

    /** Of random matrices, whose own singular values differ by far more. */
    @ParameterizedTest
    @CsvSource({"8, 8", "8, 24", "1, 5", "16, 17"})
    void singularValuesEndNearOne(int rows, int columns) {
        try (PointerScope _ = new PointerScope()) {
            Tensor matrix = LibTorch.tensor(TinyTarget.random(3, rows * columns, 5), rows, columns);
            Tensor values = torch.linalg_svdvals(Muon.orthogonalised(matrix));
            for (float value : LibTorch.floats(values)) {
                assertThat(value).isBetween(0.4f, 1.3f);
            }
        }
    }

    @Test
    void aZeroGradientChangesNothing() {
        try (PointerScope _ = new PointerScope()) {
            Tensor zero = Muon.orthogonalised(torch.zeros(4, 6));
            assertThat(LibTorch.floats(zero)).containsOnly(0);
        }
    }

    /** Matrices move by updates of one size whatever their gradients; a head of the drafter's own and norms as AdamW moves them. */
    @Test
    void matricesAreOrthogonalisedAndAllElseIsLeftToAdamW() {
        try (PointerScope _ = new PointerScope()) {
            ModelPlan model =
                    new ModelPlan(Recipe.EAGLE3, List.of(0), List.of(0, 1, 2), 0, KeyValueMode.INFERENCE, true);
            Tensor head = LibTorch.tensor(TinyTarget.random(5, 30 * TinyTarget.HIDDEN, 1), 30, TinyTarget.HIDDEN);
            Eagle3Network network = new Eagle3Network(TinyTarget.architecture(), model, head, 1);
            Map<String, float[]> before = new LinkedHashMap<>();
            List<Tensor> gradients = new ArrayList<>();
            network.parameters().tensors().forEach((name, tensor) -> {
                before.put(name, LibTorch.floats(tensor));
                int count = (int) tensor.numel();
                gradients.add(LibTorch.tensor(TinyTarget.random(count, count, 0.01), tensor.shape()));
            });
            Optimiser.of(network, PLAN).updates(gradients, RATE).forEach(Runnable::run);
            network.parameters().tensors().forEach((name, tensor) -> {
                double size = rootMeanSquare(before.get(name), LibTorch.floats(tensor));
                // the first step of AdamW is the sign of the gradient times the rate
                boolean adamW = tensor.dim() == 1 || "head.weight".equals(name);
                // a matrix of n singular values near 1 and m >= n columns or rows has a root mean square near 1 /
                // sqrt(m)
                double expected = adamW ? RATE : 0.4 * RATE;
                assertThat(size).as(name).isCloseTo(expected, within(adamW ? 1e-6 : 0.25 * expected));
            });
        }
    }

    private static double rootMeanSquare(float[] before, float[] after) {
        double sum = 0;
        for (int i = 0; i < before.length; i++) {
            sum += Math.pow(after[i] - before[i], 2);
        }
        return Math.sqrt(sum / before.length);
    }
}
