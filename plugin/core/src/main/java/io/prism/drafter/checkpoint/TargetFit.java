package io.prism.drafter.checkpoint;

import io.prism.drafter.format.StoredTensor;
import io.prism.spi.PrismException;
import io.prism.spi.TargetDescription;
import io.prism.spi.TokenEmbedding;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Whether a draft model was made for a target. Stateless. */
public final class TargetFit {
    private static final int SAMPLED_ROWS = 16;

    /** Two stores of one embedding agree far better, quantised or not; embeddings of two models hardly at all. */
    private static final double LEAST_COSINE = 0.9;

    private TargetFit() {}

    /**
     * Refuses a draft model of another target.
     *
     * @throws PrismException that says what differs
     */
    public static void require(Checkpoint checkpoint, TargetDescription target, TokenEmbedding embedding) {
        List<String> differences = new ArrayList<>(checkpoint.config().target().differences(target));
        if (differences.isEmpty()) {
            checkpoint.embedding().ifPresent(own -> compare(own, target, embedding, differences));
        }
        if (!differences.isEmpty()) {
            throw new PrismException("Draft model " + checkpoint.path() + " was made for another target ("
                    + String.join("; ", differences) + "). Use the draft model of this target, or train one");
        }
    }

    /** Published checkpoints name no target, but often carry its embedding. */
    private static void compare(
            StoredTensor own, TargetDescription target, TokenEmbedding embedding, List<String> differences) {
        long width = target.hiddenSize();
        if (!own.type().isFloating() || !own.shape().equals(List.of((long) target.vocabularySize(), width))) {
            differences.add("embedding: drafter " + own.describe() + ", target [" + target.vocabularySize() + ", " + width + "]");
            return;
        }
        float[] row = new float[target.hiddenSize()];
        double dot = 0;
        double ownSquares = 0;
        double targetSquares = 0;
        for (int i = 0; i < SAMPLED_ROWS; i++) {
            int token = (int) ((long) i * target.vocabularySize() / SAMPLED_ROWS);
            embedding.read(token, row, 0);
            for (int k = 0; k < row.length; k++) {
                double value = own.floatAt(token * width + k);
                dot += value * row[k];
                ownSquares += value * value;
                targetSquares += (double) row[k] * row[k];
            }
        }
        double cosine = dot / Math.sqrt(ownSquares * targetSquares);
        if (!(cosine >= LEAST_COSINE)) {
            differences.add(String.format(
                    Locale.ROOT,
                    "embedding: the rows that came with the drafter agree with the target's by a cosine of %.2f, expected"
                            + " more than %.1f",
                    cosine,
                    LEAST_COSINE));
        }
    }
}
