package io.prism.training.network;

import io.prism.kernels.PackedMatrix;
import io.prism.kernels.RotaryTable;
import io.prism.spi.PrismException;
import io.prism.spi.SharedWeights;
import io.prism.spi.TargetArchitecture;
import io.prism.spi.TargetHead;
import io.prism.spi.TargetModel;
import org.bytedeco.pytorch.Tensor;

/**
 * What training takes from the target and never changes. Tensors belong to the enclosing pointer scope.
 *
 * @param architecture shape of its layers
 * @param embedding [vocabulary, hidden]
 * @param head [vocabulary, hidden], the logits' multiplier included
 * @param cosines [positions, headSize / 2]
 * @param sines [positions, headSize / 2]
 */
public record FrozenTarget(
        TargetArchitecture architecture, Tensor embedding, Tensor head, Tensor cosines, Tensor sines) {
    private static final int HEAD_ROWS = 64;

    /**
     * Reads a target's embedding and its head as its kernels compute it, quantisation included.
     *
     * @throws PrismException if the target does not lend them, or its logits are soft-capped
     */
    public static FrozenTarget of(TargetModel target) {
        SharedWeights shared = target.sharedWeights()
                .orElseThrow(() -> new PrismException("Can't train for this target (" + target.engine()
                        + "): it does not lend its embedding and head, which drafters share. Load it with an adapter that"
                        + " does."));
        TargetHead head = shared.head();
        if (head.softCap() > 0) {
            throw new PrismException("Can't train for a target whose logits are soft-capped (at " + head.softCap()
                    + "): expected plain logits.");
        }
        int vocabulary = target.description().vocabularySize();
        int hidden = target.description().hiddenSize();
        float[] embedding = new float[Math.multiplyExact(vocabulary, hidden)];
        for (int token = 0; token < vocabulary; token++) {
            shared.embedding().read(token, embedding, token * hidden);
        }
        return of(shared.architecture(), embedding, headRows(shared, head, vocabulary, hidden));
    }

    /**
     * @param embedding [vocabulary, hidden]
     * @param head [vocabulary, hidden]
     */
    public static FrozenTarget of(TargetArchitecture architecture, float[] embedding, float[] head) {
        int hidden = architecture.hiddenSize();
        RotaryTable rotary = architecture.rotary();
        long half = rotary.headSize() / 2;
        return new FrozenTarget(
                architecture,
                LibTorch.tensor(embedding, embedding.length / hidden, hidden),
                LibTorch.tensor(head, head.length / hidden, hidden),
                LibTorch.tensor(rotary.cosines(), rotary.positions(), half),
                LibTorch.tensor(rotary.sines(), rotary.positions(), half));
    }

    /** Multiplies unit vectors: what comes out are the head's columns, whatever it is stored as. */
    private static float[] headRows(SharedWeights shared, TargetHead head, int vocabulary, int hidden) {
        PackedMatrix packed = head.packed();
        float[] rows = new float[Math.multiplyExact(vocabulary, hidden)];
        float[] units = new float[HEAD_ROWS * hidden];
        float[] columns = new float[HEAD_ROWS * vocabulary];
        for (int first = 0; first < hidden; first += HEAD_ROWS) {
            int count = Math.min(HEAD_ROWS, hidden - first);
            java.util.Arrays.fill(units, 0);
            for (int i = 0; i < count; i++) {
                units[i * hidden + first + i] = 1;
            }
            shared.kernels().multiply(packed, units, 0, count, columns, 0);
            for (int i = 0; i < count; i++) {
                for (int token = 0; token < vocabulary; token++) {
                    rows[token * hidden + first + i] = head.multiplier() * columns[i * vocabulary + token];
                }
            }
        }
        return rows;
    }
}
