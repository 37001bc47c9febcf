package io.prism.training.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.prism.training.plan.KeyValueMode;
import io.prism.training.plan.ModelPlan;
import io.prism.training.plan.Recipe;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PrismNetworkTest {
    private static final double GAIN = 8;

    @BeforeAll
    static void start() {
        LibTorch.start();
    }

    @Test
    void onlyTheEmbeddingHalfOfTheFusionStartsLarger() {
        ModelPlan plan = new ModelPlan(Recipe.PRISM, List.of(0, 1), List.of(), 0, KeyValueMode.INFERENCE, true);
        try (PointerScope _ = new PointerScope()) {
            float[] plain = fusion(new PrismNetwork(TinyTarget.architecture(), plan, 1, 3));
            float[] scaled = fusion(new PrismNetwork(TinyTarget.architecture(), plan, GAIN, 3));
            for (int i = 0; i < plain.length; i++) {
                boolean embedding = i % (2 * TinyTarget.HIDDEN) < TinyTarget.HIDDEN;
                assertThat(scaled[i]).isEqualTo((float) (embedding ? GAIN * plain[i] : plain[i]));
            }
        }
    }

    @Test
    void modulesThatTheOtherDrafterLacksBecomeCopiesOfItsFirst() {
        try (PointerScope _ = new PointerScope()) {
            PrismNetwork two = network(List.of(0, 1), 3);
            PrismNetwork three = network(List.of(0, 1, 2), 4);
            three.startFrom(two.parameters().save());
            for (int module = 0; module < 3; module++) {
                assertThat(weights(three, module)).isEqualTo(weights(two, module % 2));
            }
        }
    }

    private static PrismNetwork network(List<Integer> mapping, long seed) {
        ModelPlan plan = new ModelPlan(Recipe.PRISM, mapping, List.of(), 0, KeyValueMode.INFERENCE, true);
        return new PrismNetwork(TinyTarget.architecture(), plan, 1, seed);
    }

    private static float[] weights(PrismNetwork network, int module) {
        return LibTorch.floats(network.parameters().tensors().get("modules." + module + ".mlp.up_proj.weight"));
    }

    private static float[] fusion(PrismNetwork network) {
        return LibTorch.floats(network.parameters().tensors().get("modules.1.fusion.weight"));
    }
}
