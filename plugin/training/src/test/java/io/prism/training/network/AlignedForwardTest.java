package io.prism.training.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.prism.training.plan.KeyValueMode;
import io.prism.training.plan.ModelPlan;
import io.prism.training.plan.Recipe;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AlignedForwardTest {
    /** F32 against doubles over sums of at most 48 terms of size 1: rounding stays below 1e-5, any slip is above 1e-2. */
    private static final double TOLERANCE = 2e-5;

    private static final int STEPS = 4;
    private static final int POSITIONS = 9;
    private static final int SEQUENCES = 2;

    @BeforeAll
    static void start() {
        LibTorch.start();
    }

    @ParameterizedTest
    @EnumSource(KeyValueMode.class)
    void everyStepOfEveryPositionSeesExactlyWhatInferenceFromItWouldSee(KeyValueMode mode) {
        ModelPlan plan = plan(List.of(0, 1, 2), mode);
        try (PointerScope _ = new PointerScope()) {
            FrozenTarget target = TinyTarget.frozen(3);
            PrismNetwork network = new PrismNetwork(target.architecture(), plan, InputGains.NONE, 5);
            Batch batch = TinyTarget.batch(7, SEQUENCES, POSITIONS);
            List<Tensor> outputs = new AlignedForward(network, plan, mode, target).run(batch, STEPS, false);
            ReferenceDrafter reference = new ReferenceDrafter(
                    target.architecture(), plan, network.parameters().save(), mode == KeyValueMode.PUBLISHED);
            double[][] embedding = rows(target.embedding());
            long[] tokens = LibTorch.longs(batch.tokens());
            double[][] hidden = rows(batch.hidden());
            for (int sequence = 0; sequence < SEQUENCES; sequence++) {
                double[][] embedded = new double[POSITIONS][];
                double[][] context = new double[POSITIONS][];
                for (int i = 0; i < POSITIONS; i++) {
                    embedded[i] = embedding[(int) tokens[sequence * POSITIONS + i]];
                    context[i] = hidden[sequence * POSITIONS + i];
                }
                for (int last = 0; last + STEPS <= batch.lengths()[sequence]; last++) {
                    List<double[]> expected = reference.draft(embedded, context, last, STEPS);
                    for (int step = 1; step <= STEPS; step++) {
                        double[] actual = rows(outputs.get(step - 1))[sequence * POSITIONS + last + step - 1];
                        assertThat(actual).containsExactly(expected.get(step - 1), within(TOLERANCE));
                    }
                }
            }
        }
    }

    @Test
    void theKeyValueModesDifferFromTheSecondStepOnAndOnlyWithSeveralModules() {
        assertThat(largestDifference(List.of(0, 1), 1)).isZero();
        assertThat(largestDifference(List.of(0, 1), 2)).isGreaterThan(1e-3);
        assertThat(largestDifference(List.of(0), 3)).isLessThan(TOLERANCE);
    }

    @Test
    void laterPositionsNeverReachEarlierOnes() {
        ModelPlan plan = plan(List.of(0, 1), KeyValueMode.INFERENCE);
        try (PointerScope _ = new PointerScope()) {
            FrozenTarget target = TinyTarget.frozen(3);
            PrismNetwork network = new PrismNetwork(target.architecture(), plan, InputGains.NONE, 5);
            AlignedForward forward = new AlignedForward(network, plan, KeyValueMode.INFERENCE, target);
            Batch batch = TinyTarget.batch(7, 1, POSITIONS);
            double[][] before = rows(forward.run(batch, 3, false).getLast());
            batch.hidden().narrow(1, POSITIONS - 1, 1).zero_();
            double[][] after = rows(forward.run(batch, 3, false).getLast());
            for (int i = 0; i < POSITIONS - 1; i++) {
                assertThat(after[i]).containsExactly(before[i]);
            }
        }
    }

    private static double largestDifference(List<Integer> mapping, int step) {
        try (PointerScope _ = new PointerScope()) {
            FrozenTarget target = TinyTarget.frozen(3);
            ModelPlan plan = plan(mapping, KeyValueMode.INFERENCE);
            PrismNetwork network = new PrismNetwork(target.architecture(), plan, InputGains.NONE, 5);
            Batch batch = TinyTarget.batch(7, 1, POSITIONS);
            Tensor one = new AlignedForward(network, plan, KeyValueMode.INFERENCE, target)
                    .run(batch, step, false)
                    .getLast();
            Tensor other = new AlignedForward(network, plan, KeyValueMode.PUBLISHED, target)
                    .run(batch, step, false)
                    .getLast();
            long from = step - 1;
            return one.sub(other).narrow(1, from, POSITIONS - from).abs().max().item_double();
        }
    }

    private static ModelPlan plan(List<Integer> mapping, KeyValueMode mode) {
        return new ModelPlan(Recipe.PRISM, mapping, List.of(), 0, mode, true);
    }

    private static double[][] rows(Tensor tensor) {
        float[] values = LibTorch.floats(tensor);
        int width = (int) tensor.size(tensor.dim() - 1);
        double[][] rows = new double[values.length / width][width];
        for (int i = 0; i < values.length; i++) {
            rows[i / width][i % width] = values[i];
        }
        return rows;
    }
}
