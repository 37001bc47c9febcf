package io.prism.jlama.synthetic;

import io.prism.spi.PrismException;
import java.util.ArrayList;
import java.util.List;

/**
 * Which tensors a model of a shape has, and how their elements are scaled: projections keep the variance of what they
 * read, what is added to the residual stream keeps it near 1 after all layers, and logits have a standard deviation
 * of about {@link #LOGIT_DEVIATION}.
 */
final class SyntheticTensors {
    private static final double LOGIT_DEVIATION = 2;
    private static final double NORM_DEVIATION = 0.05;
    private static final double BIAS_DEVIATION = 0.1;
    /** Experts of a mixtral model, of which two are used for a token. */
    static final int EXPERTS = 4;

    private final SyntheticShape shape;
    private final double inner;
    private final double residual;
    private final List<TensorSpec> tensors = new ArrayList<>();

    private SyntheticTensors(SyntheticShape shape) {
        this.shape = shape;
        this.inner = 1 / Math.sqrt(shape.hidden());
        this.residual = 1 / Math.sqrt(2.0 * shape.layers());
    }

    static List<TensorSpec> of(SyntheticShape shape) {
        SyntheticTensors tensors = new SyntheticTensors(shape);
        switch (shape.modelType()) {
            case "llama", "mistral", "qwen2", "granite", "mixtral" -> tensors.llamaFamily(1);
            // Gemma's norms multiply by 1 + weight
            case "gemma", "gemma2" -> tensors.llamaFamily(0);
            case "gpt2" -> tensors.gpt2();
            default ->
                throw new PrismException("Unknown model type '" + shape.modelType()
                        + "': expected llama, mistral, qwen2, granite, gemma, gemma2, mixtral or gpt2");
        }
        return tensors.tensors;
    }

    private void llamaFamily(double normMean) {
        int hidden = shape.hidden();
        matrix("model.embed_tokens.weight", shape.vocabulary(), hidden, LOGIT_DEVIATION * inner);
        for (int layer = 0; layer < shape.layers(); layer++) {
            String base = "model.layers." + layer + ".";
            vector(base + "input_layernorm.weight", hidden, normMean);
            attention(base + "self_attn.");
            vector(base + "post_attention_layernorm.weight", hidden, normMean);
            if (shape.modelType().equals("gemma2")) {
                vector(base + "pre_feedforward_layernorm.weight", hidden, normMean);
                vector(base + "post_feedforward_layernorm.weight", hidden, normMean);
            }
            mlp(base);
        }
        vector("model.norm.weight", hidden, normMean);
        if (!shape.tiedHead()) {
            matrix("lm_head.weight", shape.vocabulary(), hidden, LOGIT_DEVIATION * inner);
        }
    }

    private void attention(String prefix) {
        int hidden = shape.hidden();
        matrix(prefix + "q_proj.weight", hidden, hidden, inner);
        matrix(prefix + "k_proj.weight", shape.kvWidth(), hidden, inner);
        matrix(prefix + "v_proj.weight", shape.kvWidth(), hidden, inner);
        matrix(prefix + "o_proj.weight", hidden, hidden, inner * residual);
        if (shape.modelType().equals("qwen2")) {
            bias(prefix + "q_proj.bias", hidden);
            bias(prefix + "k_proj.bias", shape.kvWidth());
            bias(prefix + "v_proj.bias", shape.kvWidth());
        }
    }

    private void mlp(String base) {
        int hidden = shape.hidden();
        int width = shape.mlpWidth();
        double down = residual / Math.sqrt(width);
        if (shape.modelType().equals("mixtral")) {
            matrix(base + "block_sparse_moe.gate.weight", EXPERTS, hidden, inner);
            for (int expert = 0; expert < EXPERTS; expert++) {
                String prefix = base + "block_sparse_moe.experts." + expert + ".";
                matrix(prefix + "w1.weight", width, hidden, inner);
                matrix(prefix + "w2.weight", hidden, width, down);
                matrix(prefix + "w3.weight", width, hidden, inner);
            }
        } else {
            matrix(base + "mlp.gate_proj.weight", width, hidden, inner);
            matrix(base + "mlp.up_proj.weight", width, hidden, inner);
            matrix(base + "mlp.down_proj.weight", hidden, width, down);
        }
    }

    private void gpt2() {
        int hidden = shape.hidden();
        matrix("wte.weight", shape.vocabulary(), hidden, LOGIT_DEVIATION * inner);
        matrix("wpe.weight", shape.contextLength(), hidden, inner);
        for (int layer = 0; layer < shape.layers(); layer++) {
            String base = "h." + layer + ".";
            vector(base + "ln_1.weight", hidden, 1);
            bias(base + "ln_1.bias", hidden);
            matrix(base + "attn.c_attn.weight", hidden, 3 * hidden, inner);
            bias(base + "attn.c_attn.bias", 3 * hidden);
            matrix(base + "attn.c_proj.weight", hidden, hidden, inner * residual);
            bias(base + "attn.c_proj.bias", hidden);
            vector(base + "ln_2.weight", hidden, 1);
            bias(base + "ln_2.bias", hidden);
            matrix(base + "mlp.c_fc.weight", hidden, 4 * hidden, inner);
            bias(base + "mlp.c_fc.bias", 4 * hidden);
            matrix(base + "mlp.c_proj.weight", 4 * hidden, hidden, inner * residual / 2);
            bias(base + "mlp.c_proj.bias", hidden);
        }
        vector("ln_f.weight", hidden, 1);
        bias("ln_f.bias", hidden);
    }

    private void matrix(String name, int rows, int columns, double deviation) {
        tensors.add(TensorSpec.matrix(name, rows, columns, deviation));
    }

    private void vector(String name, int length, double mean) {
        tensors.add(TensorSpec.vector(name, length, mean, NORM_DEVIATION));
    }

    private void bias(String name, int length) {
        tensors.add(TensorSpec.vector(name, length, 0, BIAS_DEVIATION));
    }
}
