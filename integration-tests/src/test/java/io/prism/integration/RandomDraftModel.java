package io.prism.integration;

import io.prism.drafter.checkpoint.CheckpointWriter;
import io.prism.drafter.checkpoint.DrafterConfig;
import io.prism.drafter.checkpoint.LayerKind;
import io.prism.drafter.checkpoint.TargetIdentity;
import io.prism.drafter.format.StoredTensor;
import io.prism.spi.TargetArchitecture;
import io.prism.spi.TargetModel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/** Draft models of random weights: they fit a target and know nothing. */
final class RandomDraftModel {
    private RandomDraftModel() {}

    /**
     * Writes one in our format.
     *
     * @param drafted tokens it can draft
     */
    static DrafterConfig write(
            Path out, TargetModel target, LayerKind kind, int modules, boolean multiHidden, int drafted) {
        int all = target.description().vocabularySize();
        int[] ids = IntStream.range(0, drafted)
                .map(i -> drafted == all ? i : 4 * i + 1)
                .toArray();
        return write(out, target, kind, modules, multiHidden, ids);
    }

    /**
     * Writes one in our format.
     *
     * @param draftVocabulary ids of the tokens it can draft; all of them for no vocabulary of its own
     */
    static DrafterConfig write(
            Path out, TargetModel target, LayerKind kind, int modules, boolean multiHidden, int[] draftVocabulary) {
        TargetArchitecture shape = target.sharedWeights().orElseThrow().architecture();
        int d = shape.hiddenSize();
        int query = shape.attention().queryWidth();
        int key = shape.attention().kvWidth();
        int mlp = shape.mlpWidth();
        DrafterConfig config = new DrafterConfig(
                kind,
                IntStream.range(0, modules).boxed().toList(),
                kind == LayerKind.FUSION,
                multiHidden,
                List.of(),
                DrafterConfig.Shape.OF_TARGET,
                TargetIdentity.of(target.description()));
        Random random = new Random(modules);
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        for (int m = 0; m < modules; m++) {
            String name = "modules." + m + ".";
            int inputs = kind == LayerKind.FUSION ? d : 2 * d;
            if (kind == LayerKind.FUSION) {
                tensors.put(name + "fusion.weight", matrix(random, d, 2 * d));
                tensors.put(name + "fusion.bias", ones(d));
            } else {
                tensors.put(name + "input_layernorm.weight", ones(d));
                tensors.put(name + "hidden_norm.weight", ones(d));
            }
            tensors.put(name + "self_attn.q_proj.weight", matrix(random, query, inputs));
            tensors.put(name + "self_attn.k_proj.weight", matrix(random, key, inputs));
            tensors.put(name + "self_attn.v_proj.weight", matrix(random, key, inputs));
            tensors.put(name + "self_attn.o_proj.weight", matrix(random, d, query));
            tensors.put(name + "post_attention_layernorm.weight", ones(d));
            tensors.put(name + "mlp.gate_proj.weight", matrix(random, mlp, d));
            tensors.put(name + "mlp.up_proj.weight", matrix(random, mlp, d));
            tensors.put(name + "mlp.down_proj.weight", matrix(random, d, mlp));
        }
        if (multiHidden) {
            tensors.put("features.weight", matrix(random, d, 3 * d));
        }
        if (kind == LayerKind.EAGLE3) {
            tensors.put("norm.weight", ones(d));
            tensors.put("head.weight", matrix(random, draftVocabulary.length, d));
        }
        if (draftVocabulary.length < config.target().vocabularySize()) {
            tensors.put("draft_vocabulary", StoredTensor.ofIntegers(draftVocabulary));
        }
        CheckpointWriter.write(out, config, tensors, Map.of());
        return config;
    }

    private static StoredTensor matrix(Random random, int rows, int columns) {
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextGaussian() / Math.sqrt(columns));
        }
        return StoredTensor.ofFloats(values, rows, columns);
    }

    private static StoredTensor ones(int length) {
        float[] values = new float[length];
        Arrays.fill(values, 1);
        return StoredTensor.ofFloats(values, length);
    }
}
