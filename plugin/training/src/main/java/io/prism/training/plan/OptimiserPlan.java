package io.prism.training.plan;

import io.prism.spi.PrismException;

/**
 * The optimiser, its schedule, and what a step computes with.
 *
 * @param kind Muon or AdamW
 * @param batchTokens positions of a batch, padding included
 * @param warmUp share of a stage's steps with a rising learning rate
 * @param beta1 AdamW's decay of the mean gradient
 * @param beta2 AdamW's decay of the mean square
 * @param weightDecay decoupled weight decay of matrices
 * @param clip each gradient element is clipped to this magnitude
 * @param bf16 whether matrix products of the forward and backward pass are in BF16; weights and sums stay F32
 */
public record OptimiserPlan(
        OptimiserKind kind,
        int batchTokens,
        double warmUp,
        double beta1,
        double beta2,
        double weightDecay,
        double clip,
        boolean bf16) {

    /** @throws PrismException if a value is out of range */
    public OptimiserPlan {
        if (batchTokens < 1
                || warmUp < 0
                || warmUp > 1
                || beta1 < 0
                || beta1 >= 1
                || beta2 < 0
                || beta2 >= 1
                || weightDecay < 0
                || clip <= 0) {
            throw new PrismException(
                    "Batch of " + batchTokens + " tokens, warm-up " + warmUp + ", betas " + beta1 + " and "
                            + beta2 + ", weight decay " + weightDecay + ", clip " + clip
                            + ": expected at least 1 token, a warm-up from 0 to 1, betas from 0 to below 1, a weight decay of 0"
                            + " or more and a clip above 0.");
        }
    }
}
