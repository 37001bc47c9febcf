package io.prism.jlama.stock;

import com.github.tjake.jlama.math.VectorMath;
import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.functions.SampleOutput;
import com.github.tjake.jlama.safetensors.Config;
import com.github.tjake.jlama.tensor.AbstractTensor;
import com.github.tjake.jlama.tensor.KvBufferCache.KvBuffer;
import com.github.tjake.jlama.tensor.operations.TensorOperationsProvider;
import io.prism.jlama.internals.ModelMembers;
import net.jafama.FastMath;

/**
 * Jlama's own forward pass, with the logits that Jlama itself would sample from.
 *
 * <p>Not thread-safe: Jlama keeps intermediate results in the model's blocks.
 */
public final class StockForward {
    private final AbstractModel model;
    private final Config config;
    private final ModelMembers members = new ModelMembers();
    private final SampleOutput output;

    public StockForward(AbstractModel model) {
        this.model = model;
        this.config = model.getConfig();
        this.output = members.sampleOutput(model);
    }

    /** A cache for keys and values in memory, without the files that Jlama's named sessions leave behind. */
    public KvBuffer newKvBuffer() {
        return members.kvBufferCache(model).getEphemeralKvBuffer();
    }

    /**
     * Runs consecutive tokens in one batch.
     *
     * @param position of the first
     * @return what Jlama returns: outputs of the last layer before the final norm, [rows, hidden], of the last
     *     sub-batch only where Jlama divides the batch; to be closed by the caller
     */
    public AbstractTensor<?, ?> run(int[] tokens, int position, KvBuffer kv) {
        return model.batchForward(tokens, position, kv);
    }

    /**
     * Final norm and head of a row, as Jlama's sampling computes them.
     *
     * @param rows from {@link #run}
     * @param logits receives [vocabulary] from {@code offset}
     */
    public void logits(AbstractTensor<?, ?> rows, int row, float[] logits, int offset) {
        int vocabulary = config.vocabularySize;
        try (AbstractTensor<?, ?> normed = output.getOutputLayerNorm().forward(rows.slice(row));
                AbstractTensor<?, ?> result = model.makeDenseTensor(vocabulary)) {
            VectorMath.pchunk(
                    0,
                    vocabulary,
                    (start, size) -> TensorOperationsProvider.get()
                            .dotProductChunk(
                                    result,
                                    normed,
                                    output.getOutputLogitsWeights(),
                                    0,
                                    config.embeddingLength,
                                    start,
                                    size));
            if (config.logitMultiplier != null) {
                TensorOperationsProvider.get().scale(1.0f / config.logitMultiplier, result, 0, vocabulary);
            }
            copy(result, 0, logits, offset, vocabulary);
        }
        if (config.finalLogitSoftCapping != null) {
            float cap = config.finalLogitSoftCapping;
            for (int i = offset; i < offset + vocabulary; i++) {
                logits[i] = (float) FastMath.tanh(logits[i] / cap) * cap;
            }
        }
    }

    /**
     * The final norm of a row.
     *
     * @param states receives [hidden] from {@code offset}
     */
    public void finalNorm(AbstractTensor<?, ?> rows, int row, float[] states, int offset) {
        try (AbstractTensor<?, ?> normed = output.getOutputLayerNorm().forward(rows.slice(row))) {
            copy(normed, 0, states, offset, config.embeddingLength);
        }
    }

    /** Copies {@code length} elements of a row of a tensor of any type to floats. */
    static void copy(AbstractTensor<?, ?> from, int row, float[] to, int offset, int length) {
        for (int i = 0; i < length; i++) {
            to[offset + i] = from.get(row, i);
        }
    }
}
