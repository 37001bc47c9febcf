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
            float[] plain = fusion(new PrismNetwork(TinyTarget.architecture(), plan, InputGains.NONE, 3));
            float[] scaled = fusion(new PrismNetwork(TinyTarget.architecture(), plan, new InputGains(GAIN, 1), 3));
            for (int i = 0; i < plain.length; i++) {
                boolean embedding = i % (2 * TinyTarget.HIDDEN) < TinyTarget.HIDDEN;
                assertThat(scaled[i]).isEqualTo((float) (embedding ? GAIN * plain[i] : plain[i]));
            }
        }
    }

    @Test
    void whatReadsInnerLayersStartsByPassingOnTheHighest() {
        ModelPlan plan =
                new ModelPlan(Recipe.PRISM_STAR, List.of(0, 1), List.of(0, 1, 1), 0, KeyValueMode.INFERENCE, true);
        try (PointerScope _ = new PointerScope()) {
            float[] random = features(new PrismNetwork(TinyTarget.architecture(), plan, new InputGains(1, 0), 3));
            float[] passing = features(new PrismNetwork(TinyTarget.architecture(), plan, new InputGains(1, GAIN), 3));
            for (int i = 0; i < random.length; i++) {
                int row = i / (3 * TinyTarget.HIDDEN);
                boolean same = i % (3 * TinyTarget.HIDDEN) == 2 * TinyTarget.HIDDEN + row;
                assertThat(passing[i]).isEqualTo((float) (same ? random[i] + GAIN : random[i]));
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
        return new PrismNetwork(TinyTarget.architecture(), plan, InputGains.NONE, seed);
    }

    private static float[] weights(PrismNetwork network, int module) {
        return LibTorch.floats(network.parameters().tensors().get("modules." + module + ".mlp.up_proj.weight"));
    }

    private static float[] features(PrismNetwork network) {
        return LibTorch.floats(network.parameters().tensors().get("features.weight"));
    }

    private static float[] fusion(PrismNetwork network) {
        return LibTorch.floats(network.parameters().tensors().get("modules.1.fusion.weight"));
    }
}
