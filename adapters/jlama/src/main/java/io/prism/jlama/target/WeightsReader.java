package io.prism.jlama.target;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.LayerNorm;
import com.github.tjake.jlama.model.MLPBlock;
import com.github.tjake.jlama.model.ModelSupport.ModelType;
import com.github.tjake.jlama.model.RMSNorm;
import com.github.tjake.jlama.model.TransformerBlock;
import com.github.tjake.jlama.model.functions.SampleOutput;
import com.github.tjake.jlama.model.llama.LlamaModel;
import com.github.tjake.jlama.safetensors.Config;
import com.github.tjake.jlama.tensor.AbstractTensor;
import io.prism.jlama.internals.JlamaTensors;
import io.prism.jlama.internals.LayerMembers;
import io.prism.jlama.internals.ModelMembers;
import io.prism.jlama.internals.UnsupportedModelException;
import io.prism.kernels.Activation;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.Kernels;
import io.prism.kernels.Matrix;
import io.prism.kernels.PackedMatrix;
import io.prism.kernels.Packing;
import io.prism.kernels.Precision;
import io.prism.kernels.RotaryTable;
import io.prism.spi.PrismException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Turns a model that Jlama has loaded into {@link DecoderWeights}, refusing what the forward pass can't compute. */
final class WeightsReader {
    private static final Logger LOG = LoggerFactory.getLogger(WeightsReader.class);

    private static final Set<ModelType> SUPPORTED = EnumSet.of(ModelType.LLAMA, ModelType.MISTRAL, ModelType.QWEN2);

    private final Kernels kernels;
    private final Packing packing;
    private final List<PackedMatrix> packed = new ArrayList<>();

    private WeightsReader(Kernels kernels, Packing packing) {
        this.kernels = kernels;
        this.packing = packing;
    }

    /**
     * Reads and packs all weights; what was packed is released if it fails.
     *
     * @throws UnsupportedModelException with the reason, if the forward pass can't compute this model
     */
    static DecoderWeights read(AbstractModel model, Kernels kernels, Packing packing) {
        if (!(model instanceof LlamaModel llama) || !SUPPORTED.contains(model.getModelType())) {
            throw new UnsupportedModelException(
                    "models of type " + model.getModelType() + " are not among " + SUPPORTED);
        }
        WeightsReader reader = new WeightsReader(kernels, packing);
        try {
            return reader.read(llama);
        } catch (Throwable e) {
            reader.packed.forEach(PackedMatrix::close);
            throw e;
        }
    }

    /** The precision most weights are stored in. */
    static Precision precision(DecoderWeights weights) {
        return weights.layers().isEmpty()
                ? weights.head().precision()
                : weights.layers().getFirst().gateUp().precision();
    }

    private DecoderWeights read(LlamaModel model) {
        Config config = model.getConfig();
        ModelMembers members = new ModelMembers();
        TransformerBlock[] blocks = members.transformerBlocks(model);
        if (config.dctx().hasModelShard() || blocks.length != config.numberOfLayers) {
            throw new UnsupportedModelException("the model is distributed: this process holds " + config.dctx());
        }
        AttentionShape attention = new AttentionShape(
                config.numberOfHeads,
                config.numberOfKeyValueHeads,
                config.headSize,
                config.attentionMultiplier != null
                        ? config.attentionMultiplier
                        : (float) (1.0 / StrictMath.sqrt(config.headSize)),
                orElse(config.attnLogitSoftCapping, 0));
        Matrix embedding = JlamaTensors.matrix("the embedding", LayerMembers.embedding(model));
        requireShape("the embedding", embedding, config.vocabularySize, config.embeddingLength);
        List<DecoderLayer> layers = new ArrayList<>(blocks.length);
        for (int i = 0; i < blocks.length; i++) {
            layers.add(layer("layer " + i, LayerMembers.block(blocks[i]), config, attention));
        }
        SampleOutput output = members.sampleOutput(model);
        Matrix head = JlamaTensors.matrix("the head", output.getOutputLogitsWeights());
        requireShape("the head", head, config.vocabularySize, config.embeddingLength);
        PackedMatrix packedHead = pack("the head", List.of(head));
        float logitMultiplier = config.logitMultiplier != null ? 1.0f / config.logitMultiplier : 1;
        float logitSoftCap = orElse(config.finalLogitSoftCapping, 0);
        return new DecoderWeights(
                config.embeddingLength,
                config.hiddenLength,
                config.vocabularySize,
                config.contextLength,
                attention,
                rotary(config),
                activation(config),
                config.layerNormEps,
                orElse(config.residualMultiplier, 1),
                logitMultiplier,
                logitSoftCap,
                new EmbeddingTable(embedding, orElse(config.embeddingMultiplier, 1)),
                layers,
                norm("the final norm", output.getOutputLayerNorm(), config.embeddingLength),
                head,
                packedHead,
                logitMultiplier == 1 && logitSoftCap <= 0 ? searchedHead(packedHead, head) : null);
    }

    /** Not for logits that are changed afterwards, by which different ones may become equal. */
    private @Nullable SearchedHead searchedHead(PackedMatrix packedHead, Matrix head) {
        try {
            return kernels.packForArgmax(packedHead, head)
                    .map(matrix -> new SearchedHead(kernels, matrix))
                    .orElse(null);
        } catch (OutOfMemoryError e) {
            LOG.warn(
                    "Not enough memory for a smaller copy of the head: decoding at temperature 0 will read all of it",
                    e);
            return null;
        }
    }

    private DecoderLayer layer(String name, LayerMembers.Block block, Config config, AttentionShape shape) {
        refuse(name, "a norm after attention", block.postAttentionNorm());
        refuse(name, "a norm after the MLP", block.postMlpNorm());
        refuse(name, "a norm after the residual sum", block.preResponseNorm());
        if (!(block.mlp() instanceof MLPBlock mlpBlock)) {
            throw new UnsupportedModelException(
                    name + " has a " + block.mlp().getClass().getSimpleName() + ", expected a plain gated MLP");
        }
        LayerMembers.Mlp mlp = LayerMembers.mlp(mlpBlock);
        refuse(name, "an MLP bias", mlp.gateBias());
        refuse(name, "an MLP bias", mlp.downBias());
        AbstractTensor<?, ?> upTensor = mlp.up();
        if (upTensor == null) {
            throw new UnsupportedModelException(name + " has an MLP without gate");
        }
        int hidden = config.embeddingLength;
        LayerMembers.Attention attention = LayerMembers.attention(block.attention());
        Matrix query = matrix(name, "q", attention.query(), shape.queryWidth(), hidden);
        Matrix key = matrix(name, "k", attention.key(), shape.kvWidth(), hidden);
        Matrix value = matrix(name, "v", attention.value(), shape.kvWidth(), hidden);
        Matrix output = matrix(name, "o", attention.output(), hidden, shape.queryWidth());
        Matrix gate = matrix(name, "gate", mlp.gate(), config.hiddenLength, hidden);
        Matrix up = matrix(name, "up", upTensor, config.hiddenLength, hidden);
        Matrix down = matrix(name, "down", mlp.down(), hidden, config.hiddenLength);
        return new DecoderLayer(
                norm(name + ", norm before attention", require(name, block.preAttentionNorm()), hidden),
                pack(name + ", q/k/v projections", List.of(query, key, value)),
                qkvBias(name, attention, shape),
                pack(name + ", output projection", List.of(output)),
                attention
                        .outputBias()
                        .map(bias -> bias(name + ", output bias", bias, hidden))
                        .orElse(null),
                norm(name + ", norm before the MLP", require(name, block.preMlpNorm()), hidden),
                pack(name + ", gate/up projections", List.of(gate, up)),
                pack(name + ", down projection", List.of(down)));
    }

    private PackedMatrix pack(String name, List<Matrix> stacked) {
        for (Matrix matrix : stacked) {
            if (matrix.precision() != stacked.getFirst().precision()) {
                throw new UnsupportedModelException(name + " are stored as "
                        + stacked.stream().map(Matrix::precision).toList() + ", expected one precision");
            }
        }
        PackedMatrix result = kernels.pack(stacked, packing);
        packed.add(result);
        return result;
    }

    private static Matrix matrix(String layer, String name, AbstractTensor<?, ?> tensor, int rows, int columns) {
        String fullName = layer + ", " + name + " projection";
        Matrix matrix = JlamaTensors.matrix(fullName, tensor);
        requireShape(fullName, matrix, rows, columns);
        return matrix;
    }

    private static void requireShape(String name, Matrix matrix, int rows, int columns) {
        if (matrix.rows() != rows || matrix.columns() != columns) {
            // damaged, and not for Jlama's own forward pass either
            throw new PrismException(name + " is " + matrix.rows() + " x " + matrix.columns()
                    + ", the configuration says " + rows + " x " + columns
                    + ": config.json and weights don't belong together. Download the model again.");
        }
    }

    private static float @Nullable [] qkvBias(String name, LayerMembers.Attention attention, AttentionShape shape) {
        if (attention.queryBias().isEmpty()
                && attention.keyBias().isEmpty()
                && attention.valueBias().isEmpty()) {
            return null;
        }
        float[] joint = new float[shape.qkvWidth()];
        attention.queryBias().ifPresent(bias -> copyBias(name + ", q bias", bias, shape.queryWidth(), joint, 0));
        attention
                .keyBias()
                .ifPresent(bias -> copyBias(name + ", k bias", bias, shape.kvWidth(), joint, shape.queryWidth()));
        attention
                .valueBias()
                .ifPresent(bias -> copyBias(
                        name + ", v bias", bias, shape.kvWidth(), joint, shape.queryWidth() + shape.kvWidth()));
        return joint;
    }

    private static void copyBias(String name, AbstractTensor<?, ?> tensor, int length, float[] target, int offset) {
        System.arraycopy(bias(name, tensor, length), 0, target, offset, length);
    }

    private static float[] bias(String name, AbstractTensor<?, ?> tensor, int length) {
        return requireLength(name, JlamaTensors.vector(tensor), length);
    }

    private static float[] norm(String name, LayerNorm norm, int length) {
        if (!(norm instanceof RMSNorm rmsNorm)) {
            throw new UnsupportedModelException(
                    name + " is a " + norm.getClass().getSimpleName() + ", expected an RMSNorm");
        }
        return requireLength(name, LayerMembers.weights(rmsNorm), length);
    }

    private static float[] requireLength(String name, float[] values, int length) {
        if (values.length != length) {
            throw new PrismException(name + " has " + values.length + " elements, the configuration says " + length
                    + ": config.json and weights don't belong together. Download the model again.");
        }
        return values;
    }

    private static <T> T require(String name, Optional<T> norm) {
        return norm.orElseThrow(
                () -> new UnsupportedModelException(name + " lacks a norm before attention or before the MLP"));
    }

    private static void refuse(String name, String what, Optional<?> part) {
        if (part.isPresent()) {
            throw new UnsupportedModelException(name + " has " + what + ", which this forward pass does not compute");
        }
    }

    private static Activation activation(Config config) {
        return switch (config.activationFunction) {
            case SILU -> Activation.SILU;
            // Jlama computes the tanh approximation for both
            case GELU, GELU_PYTORCH_TANH -> Activation.GELU_TANH;
            case TANH -> throw new UnsupportedModelException("the MLP's activation is tanh, expected SiLU or GELU");
        };
    }

    /**
     * Jlama's own cosines and sines, scaling included. Its attention reads them 2 x head positions further on for
     * key/value head {@code head}, which cancels in every product of a query and a key but leaves its last positions
     * without an entry; read by position alone the table covers the whole context.
     */
    private static RotaryTable rotary(Config config) {
        int headSize = config.headSize;
        if (headSize % 2 != 0) {
            throw new UnsupportedModelException("heads have " + headSize + " elements, expected an even number");
        }
        int positions = config.contextLength;
        float[] cosines = new float[positions * (headSize / 2)];
        float[] sines = new float[cosines.length];
        if (config.ropeFreqs.isPresent()) {
            float[][] table = config.ropeFreqs.get();
            for (int i = 0; i < cosines.length; i++) {
                cosines[i] = table[i][0];
                sines[i] = table[i][1];
            }
        } else {
            Arrays.fill(cosines, 1);
        }
        return new RotaryTable(cosines, sines, headSize, positions);
    }

    private static float orElse(@Nullable Float value, float otherwise) {
        return value != null ? value : otherwise;
    }
}
