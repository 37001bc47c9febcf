package io.prism.jlama.target;

import io.prism.kernels.Activation;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.Matrix;
import io.prism.kernels.PackedMatrix;
import io.prism.kernels.RotaryTable;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Everything a forward pass needs; immutable and shared by all sessions.
 *
 * @param hidden elements of a hidden state
 * @param mlpWidth elements between the MLP's projections
 * @param vocabulary rows of embedding and head
 * @param contextLength positions the model was made for
 * @param epsilon of all norms
 * @param residualMultiplier factor on what attention and MLP add to the residual stream
 * @param logitMultiplier factor on the logits, before the soft cap
 * @param logitSoftCap if positive, logits l become softCap x tanh(l / softCap)
 * @param finalNorm [hidden]
 * @param headSource [vocabulary, hidden], in the model's own memory
 * @param head the same, packed
 * @param searchedHead for passes that need no logits; null where it would not be faster
 */
@SuppressWarnings("ArrayRecordComponent") // read only
record DecoderWeights(
        int hidden,
        int mlpWidth,
        int vocabulary,
        int contextLength,
        AttentionShape attention,
        RotaryTable rotary,
        Activation activation,
        float epsilon,
        float residualMultiplier,
        float logitMultiplier,
        float logitSoftCap,
        EmbeddingTable embedding,
        List<DecoderLayer> layers,
        float[] finalNorm,
        Matrix headSource,
        PackedMatrix head,
        @Nullable SearchedHead searchedHead)
        implements AutoCloseable {

    DecoderWeights {
        layers = List.copyOf(layers);
    }

    /** Bytes of memory the packed matrices hold besides Jlama's own. */
    long ownBytes() {
        long bytes = head.ownBytes() + (searchedHead == null ? 0 : searchedHead.ownBytes());
        for (DecoderLayer layer : layers) {
            bytes += layer.qkv().ownBytes()
                    + layer.output().ownBytes()
                    + layer.gateUp().ownBytes()
                    + layer.down().ownBytes();
        }
        return bytes;
    }

    @Override
    public void close() {
        for (DecoderLayer layer : layers) {
            layer.qkv().close();
            layer.output().close();
            layer.gateUp().close();
            layer.down().close();
        }
        if (searchedHead != null) {
            searchedHead.close();
        }
        head.close();
    }
}
