package io.prism.training.plan;

import io.prism.spi.PrismException;

/**
 * Hyperparameters of a stage (PRISM, section 4.2).
 *
 * @param epochs passes over the data; 0 leaves the stage out
 * @param learningRate peak of the linear schedule
 * @param alignmentSteps draft steps trained on (HASS's context alignment)
 * @param stepDecay weight of step j is {@code stepDecay^(j-1)}; EAGLE-3 takes 0.8
 * @param detached whether gradients stop between steps
 * @param crossEntropyWeight factor on the soft-target cross entropy
 * @param hiddenWeight factor on the hidden-state regression
 * @param hiddenLoss its kind
 * @param topTokens HASS's top-K distillation: K, 0 for none
 * @param topWeight factor on the top-K distillation
 */
public record StagePlan(
        double epochs,
        double learningRate,
        int alignmentSteps,
        double stepDecay,
        boolean detached,
        double crossEntropyWeight,
        double hiddenWeight,
        HiddenLoss hiddenLoss,
        int topTokens,
        double topWeight) {

    /** @throws PrismException if a value is out of range */
    public StagePlan {
        require(epochs >= 0, "epochs " + epochs, "0 or more");
        require(learningRate > 0 && learningRate < 1, "learning rate " + learningRate, "between 0 and 1");
        require(alignmentSteps >= 1, "alignment steps " + alignmentSteps, "1 or more");
        require(stepDecay > 0 && stepDecay <= 1, "step decay " + stepDecay, "above 0, at most 1");
        require(crossEntropyWeight >= 0 && hiddenWeight >= 0 && topWeight >= 0, "a negative loss weight", "0 or more");
        require(crossEntropyWeight + hiddenWeight + topWeight > 0, "all loss weights 0", "at least one above 0");
        require(topTokens >= 0, "top tokens " + topTokens, "0 or more");
    }

    private static void require(boolean met, String found, String expected) {
        if (!met) {
            throw new PrismException("A training stage with " + found + ": expected " + expected + ".");
        }
    }
}
