package io.prism.jlama.testing;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.tensor.AbstractTensor;
import com.github.tjake.jlama.tensor.KvBufferCache.KvBuffer;
import io.prism.jlama.stock.StockForward;
import java.util.Arrays;

/** What Jlama itself computes, one token at a time, which it does right. */
public final class StockReference {
    private StockReference() {}

    /** Logits after each token. */
    public static float[][] logits(AbstractModel model, int[] tokens) {
        StockForward forward = new StockForward(model);
        float[][] logits = new float[tokens.length][model.getConfig().vocabularySize];
        try (KvBuffer kv = forward.newKvBuffer()) {
            for (int i = 0; i < tokens.length; i++) {
                try (AbstractTensor<?, ?> row = forward.run(Arrays.copyOfRange(tokens, i, i + 1), i, kv)) {
                    forward.logits(row, 0, logits[i], 0);
                }
            }
        }
        return logits;
    }
}
