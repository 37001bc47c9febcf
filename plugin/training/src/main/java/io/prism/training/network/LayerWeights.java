package io.prism.training.network;

import io.prism.kernels.Activation;
import io.prism.spi.TargetArchitecture;
import java.util.SplittableRandom;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** A decoder layer of the target's kind, without the norm before attention. */
record LayerWeights(
        Tensor query,
        Tensor key,
        Tensor value,
        Tensor output,
        Tensor gate,
        Tensor up,
        Tensor down,
        Tensor mlpNorm,
        Activation activation,
        double epsilon) {

    /**
     * Adds a layer with random weights.
     *
     * @param inputWidth columns of the query, key and value projections
     */
    static LayerWeights create(
            Parameters parameters, String prefix, TargetArchitecture target, long inputWidth, SplittableRandom random) {
        long hidden = target.hiddenSize();
        long queryWidth = target.attention().queryWidth();
        long kvWidth = target.attention().kvWidth();
        String attention = prefix + "self_attn.";
        String mlp = prefix + "mlp.";
        return new LayerWeights(
                parameters.matrix(attention + "q_proj.weight", queryWidth, inputWidth, random),
                parameters.matrix(attention + "k_proj.weight", kvWidth, inputWidth, random),
                parameters.matrix(attention + "v_proj.weight", kvWidth, inputWidth, random),
                parameters.matrix(attention + "o_proj.weight", hidden, queryWidth, random),
                parameters.matrix(mlp + "gate_proj.weight", target.mlpWidth(), hidden, random),
                parameters.matrix(mlp + "up_proj.weight", target.mlpWidth(), hidden, random),
                parameters.matrix(mlp + "down_proj.weight", hidden, target.mlpWidth(), random),
                parameters.vector(prefix + "post_attention_layernorm.weight", hidden, 1),
                target.activation(),
                target.epsilon());
    }

    /**
     * Output projection, residual, MLP.
     *
     * @param residual [B, T, d]
     * @param attended [B, T, queryWidth]
     */
    Tensor finish(Tensor residual, Tensor attended) {
        Tensor state = residual.add(torch.linear(attended, output));
        Tensor normed = norm(state, mlpNorm, epsilon);
        Tensor gated = torch.linear(normed, gate);
        Tensor activated = switch (activation) {
            case SILU -> torch.silu(gated);
            case GELU_TANH -> torch.gelu(gated, "tanh");
        };
        return state.add(torch.linear(activated.mul(torch.linear(normed, up)), down));
    }

    static Tensor norm(Tensor x, Tensor weight, double epsilon) {
        return torch.rms_norm(x, new long[] {weight.numel()}, new TensorOptional(weight), new DoubleOptional(epsilon));
    }
}
