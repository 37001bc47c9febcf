package io.prism.jlama.internals;

import com.github.tjake.jlama.model.CausalSelfAttention;
import com.github.tjake.jlama.model.LayerNorm;
import com.github.tjake.jlama.model.MLPBlock;
import com.github.tjake.jlama.model.RMSNorm;
import com.github.tjake.jlama.model.TransformerBlock;
import com.github.tjake.jlama.model.functions.FeedForward;
import com.github.tjake.jlama.model.llama.LlamaModel;
import com.github.tjake.jlama.tensor.AbstractTensor;
import io.prism.spi.PrismException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads what Jlama keeps to itself in the layers of a model; {@link ModelMembers} reads the model. Stateless; every method
 * is safe for concurrent use.
 *
 * <p>Every method throws {@link PrismException} if the Jlama on the class path lacks a field, naming the
 * version expected.
 */
public final class LayerMembers {
    private static final Class<? extends AbstractTensor<?, ?>> TENSOR = erased(AbstractTensor.class);
    private static final Class<? extends Optional<?>> OPTIONAL = erased(Optional.class);

    private static final JlamaField<AbstractTensor<?, ?>> EMBEDDING = tensorField(LlamaModel.class, "wte");

    private static final JlamaField<Optional<?>> PRE_ATTENTION_NORM =
            optionalField(TransformerBlock.class, "preAttentionNorm");
    private static final JlamaField<CausalSelfAttention> ATTENTION =
            new JlamaField<>(TransformerBlock.class, "attention", CausalSelfAttention.class);
    private static final JlamaField<Optional<?>> POST_ATTENTION_NORM =
            optionalField(TransformerBlock.class, "postAttentionNorm");
    private static final JlamaField<Optional<?>> PRE_MLP_NORM = optionalField(TransformerBlock.class, "preFFNorm");
    private static final JlamaField<FeedForward> MLP =
            new JlamaField<>(TransformerBlock.class, "ffBlock", FeedForward.class);
    private static final JlamaField<Optional<?>> POST_MLP_NORM = optionalField(TransformerBlock.class, "postFFNorm");
    private static final JlamaField<Optional<?>> PRE_RESPONSE_NORM =
            optionalField(TransformerBlock.class, "preResponseNorm");

    private static final JlamaField<AbstractTensor<?, ?>> QUERY =
            tensorField(CausalSelfAttention.class, "queryAttnWeights");
    private static final JlamaField<AbstractTensor<?, ?>> KEY =
            tensorField(CausalSelfAttention.class, "keyAttnWeights");
    private static final JlamaField<AbstractTensor<?, ?>> VALUE =
            tensorField(CausalSelfAttention.class, "valueAttnWeights");
    private static final JlamaField<AbstractTensor<?, ?>> OUTPUT =
            tensorField(CausalSelfAttention.class, "outputProjectionWeights");
    private static final JlamaField<Optional<?>> QUERY_BIAS = optionalField(CausalSelfAttention.class, "queryAttnBias");
    private static final JlamaField<Optional<?>> KEY_BIAS = optionalField(CausalSelfAttention.class, "keyAttnBias");
    private static final JlamaField<Optional<?>> VALUE_BIAS = optionalField(CausalSelfAttention.class, "valueAttnBias");
    private static final JlamaField<Optional<?>> OUTPUT_BIAS =
            optionalField(CausalSelfAttention.class, "outputProjectionBias");

    private static final JlamaField<AbstractTensor<?, ?>> GATE = tensorField(MLPBlock.class, "fullyConnectedWeights");
    private static final JlamaField<AbstractTensor<?, ?>> UP = tensorField(MLPBlock.class, "upProjectionWeights");
    private static final JlamaField<AbstractTensor<?, ?>> DOWN = tensorField(MLPBlock.class, "projectionWeights");
    private static final JlamaField<Optional<?>> GATE_BIAS = optionalField(MLPBlock.class, "fullyConnectedBias");
    private static final JlamaField<Optional<?>> DOWN_BIAS = optionalField(MLPBlock.class, "projectionBias");

    private static final JlamaField<AbstractTensor<?, ?>> NORM_WEIGHTS = tensorField(LayerNorm.class, "weights");
    private static final JlamaField<Float> NORM_ADJUSTMENT =
            new JlamaField<>(RMSNorm.class, "weightAdjustment", Float.class);

    private LayerMembers() {}

    /**
     * The parts of a decoder layer.
     *
     * @param preAttentionNorm before attention
     * @param postAttentionNorm after attention, before the residual sum
     * @param preMlpNorm before the MLP
     * @param postMlpNorm after the MLP, before the residual sum
     * @param preResponseNorm after the residual sum
     */
    public record Block(
            Optional<LayerNorm> preAttentionNorm,
            CausalSelfAttention attention,
            Optional<LayerNorm> postAttentionNorm,
            Optional<LayerNorm> preMlpNorm,
            FeedForward mlp,
            Optional<LayerNorm> postMlpNorm,
            Optional<LayerNorm> preResponseNorm) {}

    /** Projections of an attention block, each [outputs, inputs], and their biases. */
    public record Attention(
            AbstractTensor<?, ?> query,
            AbstractTensor<?, ?> key,
            AbstractTensor<?, ?> value,
            AbstractTensor<?, ?> output,
            Optional<AbstractTensor<?, ?>> queryBias,
            Optional<AbstractTensor<?, ?>> keyBias,
            Optional<AbstractTensor<?, ?>> valueBias,
            Optional<AbstractTensor<?, ?>> outputBias) {}

    /**
     * Projections of an MLP, each [outputs, inputs], and their biases.
     *
     * @param up null when the MLP is not gated
     */
    public record Mlp(
            AbstractTensor<?, ?> gate,
            @Nullable AbstractTensor<?, ?> up,
            AbstractTensor<?, ?> down,
            Optional<AbstractTensor<?, ?>> gateBias,
            Optional<AbstractTensor<?, ?>> downBias) {}

    /** Embedding of a model of the Llama family, [vocabulary, hidden]. */
    public static AbstractTensor<?, ?> embedding(LlamaModel model) {
        return EMBEDDING.get(model);
    }

    public static Block block(TransformerBlock block) {
        return new Block(
                norm(PRE_ATTENTION_NORM, block),
                ATTENTION.get(block),
                norm(POST_ATTENTION_NORM, block),
                norm(PRE_MLP_NORM, block),
                MLP.get(block),
                norm(POST_MLP_NORM, block),
                norm(PRE_RESPONSE_NORM, block));
    }

    public static Attention attention(CausalSelfAttention attention) {
        return new Attention(
                QUERY.get(attention),
                KEY.get(attention),
                VALUE.get(attention),
                OUTPUT.get(attention),
                tensor(QUERY_BIAS, attention),
                tensor(KEY_BIAS, attention),
                tensor(VALUE_BIAS, attention),
                tensor(OUTPUT_BIAS, attention));
    }

    public static Mlp mlp(MLPBlock mlp) {
        return new Mlp(GATE.get(mlp), UP.find(mlp), DOWN.get(mlp), tensor(GATE_BIAS, mlp), tensor(DOWN_BIAS, mlp));
    }

    /** Weights of a norm as they are applied: {@code weight + adjustment}. */
    public static float[] weights(RMSNorm norm) {
        float[] weights = JlamaTensors.vector(NORM_WEIGHTS.get(norm));
        float adjustment = NORM_ADJUSTMENT.get(norm);
        if (adjustment != 0) {
            for (int i = 0; i < weights.length; i++) {
                weights[i] += adjustment;
            }
        }
        return weights;
    }

    private static Optional<LayerNorm> norm(JlamaField<Optional<?>> field, TransformerBlock block) {
        return field.get(block).map(LayerNorm.class::cast);
    }

    private static Optional<AbstractTensor<?, ?>> tensor(JlamaField<Optional<?>> field, Object owner) {
        return field.get(owner).map(value -> (AbstractTensor<?, ?>) value);
    }

    private static JlamaField<AbstractTensor<?, ?>> tensorField(Class<?> owner, String name) {
        return new JlamaField<>(owner, name, TENSOR);
    }

    private static JlamaField<Optional<?>> optionalField(Class<?> owner, String name) {
        return new JlamaField<>(owner, name, OPTIONAL);
    }

    @SuppressWarnings("unchecked") // a class literal can't say the wildcards
    private static <T> Class<? extends T> erased(Class<?> type) {
        return (Class<? extends T>) type;
    }
}
