package io.prism.training.network;

import io.prism.drafter.format.StoredTensor;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * A drafter's modules, each a fusion of token embedding and hidden state and a decoder layer. Shapes: B sequences, T
 * positions, d hidden size.
 */
public sealed interface DraftNetwork permits PrismNetwork, Eagle3Network {

    int modules();

    Parameters parameters();

    /**
     * The hidden state that the first draft step reads.
     *
     * @param hidden [B, T, d], the target's last hidden states
     * @param inner [B, T, 3d], outputs of three of its layers, if the drafter reads them
     */
    Tensor contextHidden(Tensor hidden, Optional<Tensor> inner);

    /**
     * Fuses embeddings and hidden states.
     *
     * @param embedded [B, T, d]
     * @param hidden [B, T, d]
     */
    Entry entry(int module, Tensor embedded, Tensor hidden);

    /** [B, T, queryWidth], before rotation. */
    Tensor query(int module, Entry entry);

    /** [B, T, kvWidth], before rotation. */
    Tensor key(int module, Entry entry);

    /** [B, T, kvWidth]. */
    Tensor value(int module, Entry entry);

    /**
     * The rest of the layer: output projection, residual, MLP.
     *
     * @param attended [B, T, queryWidth]
     * @return [B, T, d], the next step's hidden state
     */
    Tensor output(int module, Entry entry, Tensor attended);

    /** What the head multiplies: the output itself, or its norm. */
    Tensor headInput(Tensor output);

    /** The drafter's own head [R, d], if it has one. */
    Optional<Tensor> ownHead();

    /**
     * Takes over weights; a module that the other drafter does not have becomes a copy of its first.
     *
     * @param saved as {@link Parameters#save} of the other drafter gives
     */
    void startFrom(Map<String, StoredTensor> saved);

    /**
     * @param attentionInput what queries, keys and values are computed from
     * @param residual what the layer's outputs are added to
     */
    record Entry(Tensor attentionInput, Tensor residual) {}
}
