package io.prism.testing;

import io.prism.drafter.checkpoint.DrafterConfig;
import io.prism.drafter.checkpoint.LayerKind;
import io.prism.drafter.checkpoint.TargetIdentity;
import io.prism.drafter.format.StoredTensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Random draft models for a {@link LendingTarget}, as canonical tensors. */
public final class RandomDrafts {
    private static final int D = LendingTarget.HIDDEN;
    private static final int Q = LendingTarget.ATTENTION.queryWidth();
    private static final int KV = LendingTarget.ATTENTION.kvWidth();
    private static final int MLP = LendingTarget.MLP;

    private RandomDrafts() {}

    /** A configuration for the target. */
    public static DrafterConfig config(LayerKind kind, List<Integer> stepModules, List<Integer> featureLayers) {
        return new DrafterConfig(
                kind,
                stepModules,
                !featureLayers.isEmpty(),
                featureLayers,
                DrafterConfig.Shape.OF_TARGET,
                new TargetIdentity("LLAMA", D, LendingTarget.VOCABULARY, LendingTarget.FINGERPRINT));
    }

    /**
     * Weights for a configuration.
     *
     * @param bias whether fusion layers and feature projection have one
     * @param draftVocabulary target ids, or null for the whole vocabulary
     */
    public static Map<String, StoredTensor> tensors(
            DrafterConfig config, long seed, boolean bias, int[] draftVocabulary) {
        Random random = new Random(seed);
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        for (int module = 0; module < config.modules(); module++) {
            String name = "modules." + module + ".";
            int inputs = D;
            if (config.layer() == LayerKind.FUSION) {
                tensors.put(name + "fusion.weight", matrix(random, D, 2 * D));
                if (bias) {
                    tensors.put(name + "fusion.bias", vector(random, D, 0));
                }
            } else {
                inputs = 2 * D;
                tensors.put(name + "input_layernorm.weight", vector(random, D, 1));
                tensors.put(name + "hidden_norm.weight", vector(random, D, 1));
            }
            tensors.put(name + "self_attn.q_proj.weight", matrix(random, Q, inputs));
            tensors.put(name + "self_attn.k_proj.weight", matrix(random, KV, inputs));
            tensors.put(name + "self_attn.v_proj.weight", matrix(random, KV, inputs));
            tensors.put(name + "self_attn.o_proj.weight", matrix(random, D, Q));
            tensors.put(name + "post_attention_layernorm.weight", vector(random, D, 1));
            tensors.put(name + "mlp.gate_proj.weight", matrix(random, MLP, D));
            tensors.put(name + "mlp.up_proj.weight", matrix(random, MLP, D));
            tensors.put(name + "mlp.down_proj.weight", matrix(random, D, MLP));
        }
        if (config.multiHidden()) {
            tensors.put("features.weight", matrix(random, D, 3 * D));
            if (bias) {
                tensors.put("features.bias", vector(random, D, 0));
            }
        }
        int drafted = draftVocabulary == null ? LendingTarget.VOCABULARY : draftVocabulary.length;
        if (config.layer() == LayerKind.EAGLE3) {
            tensors.put("norm.weight", vector(random, D, 1));
            tensors.put("head.weight", matrix(random, drafted, D));
        }
        if (draftVocabulary != null) {
            tensors.put("draft_vocabulary", StoredTensor.ofIntegers(draftVocabulary));
        }
        return tensors;
    }

    public static StoredTensor matrix(Random random, int rows, int columns) {
        float[] values = new float[rows * columns];
        float scale = (float) (0.8 / Math.sqrt(columns));
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian() * scale;
        }
        return StoredTensor.ofFloats(values, rows, columns);
    }

    public static StoredTensor vector(Random random, int length, float mean) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = mean + (float) random.nextGaussian() * 0.2f;
        }
        return StoredTensor.ofFloats(values, length);
    }
}
