package io.prism.jlama.stock;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.ModelSupport.ModelType;
import com.github.tjake.jlama.safetensors.Config;
import io.prism.jlama.internals.Fingerprint;
import io.prism.jlama.internals.UnsupportedModelException;
import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PrismException;
import io.prism.spi.TargetDescription;
import io.prism.spi.TargetModel;
import io.prism.spi.TargetSession;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A target that runs Jlama's own forward pass, for kinds of models that ours does not compute. It verifies chains of at
 * most a few tokens, in batch sizes for which Jlama was found to compute bit for bit what it computes one token at a
 * time.
 *
 * <p>Thread-safe: sessions take turns, as Jlama's forward pass can't run twice at once. Whoever runs the same model by
 * other means at the same time gets wrong results, with or without this class.
 */
public final class StockChainTarget implements TargetModel {
    private final StockForward forward;
    private final BatchSizes sizes;
    private final TargetDescription description;
    private final int capacity;
    private final ReentrantLock lock = new ReentrantLock();

    private StockChainTarget(StockForward forward, BatchSizes sizes, TargetDescription description, int capacity) {
        this.forward = forward;
        this.sizes = sizes;
        this.description = description;
        this.capacity = capacity;
    }

    /**
     * Tries which batch sizes Jlama computes right, which takes a second or, of large models, the time of 100 to 200 tokens.
     *
     * @param model not in use elsewhere meanwhile
     * @throws UnsupportedModelException if the model is distributed or does not generate text
     */
    public static StockChainTarget of(AbstractModel model) {
        Config config = model.getConfig();
        if (model.getModelType() == ModelType.BERT) {
            throw new UnsupportedModelException("models of type BERT do not generate text");
        }
        if (config.dctx().hasModelShard() || config.dctx().numberOfLayers != config.numberOfLayers) {
            throw new UnsupportedModelException("the model is distributed: this process holds " + config.dctx());
        }
        StockForward forward = new StockForward(model);
        int capacity = capacity(config);
        return new StockChainTarget(
                forward,
                BatchSizes.tried(forward, config.vocabularySize, config.embeddingLength, capacity),
                new TargetDescription(
                        model.getModelType().name(),
                        config.embeddingLength,
                        config.vocabularySize,
                        config.numberOfLayers,
                        capacity,
                        Fingerprint.of(model)),
                capacity);
    }

    /** Jlama reads its rotary table 2 positions further on for each key/value head, and has no entries for the last. */
    private static int capacity(Config config) {
        return config.ropeFreqs.isEmpty()
                ? config.contextLength
                : config.contextLength - 2 * (config.numberOfKeyValueHeads - 1);
    }

    @Override
    public TargetDescription description() {
        return description;
    }

    @Override
    public String engine() {
        return "Jlama's own forward pass, chains of at most " + sizes.largest() + " tokens";
    }

    @Override
    public int maxTreeRows() {
        return sizes.largest();
    }

    @Override
    public boolean verifiesTrees() {
        return false;
    }

    /**
     * @throws PrismException if states of inner layers are asked for, which Jlama does not give
     */
    @Override
    public TargetSession openSession(HiddenStateRequest hiddenStates) {
        if (!hiddenStates.layers().isEmpty()) {
            throw new PrismException("Models of type " + description.architecture()
                    + " run through Jlama's own forward pass, which does not give hidden states of inner layers. Use a"
                    + " drafter that does not need them, for instance ngram");
        }
        return new StockChainSession(forward, sizes, lock, description, capacity, hiddenStates.afterFinalNorm());
    }

    /** Does nothing: the model belongs to the caller. */
    @Override
    public void close() {}
}
