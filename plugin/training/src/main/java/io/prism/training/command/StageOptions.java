package io.prism.training.command;

import io.prism.training.plan.HiddenLoss;
import io.prism.training.plan.Recipe;
import io.prism.training.plan.StagePlan;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Hyperparameters of the stages; what is not given is the recipe's. */
final class StageOptions {
    /**
     * A short warm-up and a long second stage at the full rate. The paper's ratio of the stages is 15 : 5 epochs at 800k
     * samples; on far fewer tokens two thirds in stage 1 left PRISM behind HASS in validation, and a fifth put it in front.
     */
    private static final double FIRST_EPOCHS = 2;

    private static final double SECOND_EPOCHS = 7;

    /** The paper's rates, 3e-5 and 1e-5, are for drafters 250 times larger than those of a target of hidden size 256. */
    private static final double FIRST_RATE = 2e-3;

    private static final double SECOND_RATE = 2e-3;

    /** Width at which these rates were tried; they fall with the root of larger ones. */
    private static final double RATE_WIDTH = 256;

    private static final double EAGLE3_DECAY = 0.8;

    @Option(
            names = "--epochs",
            paramLabel = "N",
            description = "Stage 1: passes over the data (paper: 15 to 40). Default: 2; 9 for recipes of one stage.")
    private @Nullable Double epochs;

    @Option(
            names = "--epochs-2",
            paramLabel = "N",
            description = "Stage 2: passes over the data (paper: 5 to 10). Default: 7; 0 for recipes of one stage.")
    private @Nullable Double epochs2;

    @Option(
            names = "--learning-rate",
            paramLabel = "R",
            description = "Stage 1: peak learning rate (paper: 3e-5). Default: 2e-3 x sqrt(256 / hidden size).")
    private @Nullable Double rate;

    @Option(
            names = "--learning-rate-2",
            paramLabel = "R",
            description = "Stage 2: peak learning rate (paper: 1e-5). Default: 2e-3 x sqrt(256 / hidden size).")
    private @Nullable Double rate2;

    @Option(
            names = "--steps",
            paramLabel = "N",
            description = "Draft steps aligned in training (paper: 3). Default: the recipe's.")
    private @Nullable Integer steps;

    @Option(
            names = "--step-decay",
            paramLabel = "F",
            description = "Weight of step j is F^(j-1). Default: 1; 0.8 for eagle3.")
    private @Nullable Double decay;

    @Option(
            names = "--ce-weight",
            paramLabel = "W",
            defaultValue = "1",
            description = "Stage 1: weight of soft-target cross entropy (paper: 0.1). Default: ${DEFAULT-VALUE}.")
    private double crossEntropy;

    @Option(
            names = "--hidden-weight",
            paramLabel = "W",
            defaultValue = "0",
            description = "Stage 1: weight of hidden-state regression (paper: 1). Default: ${DEFAULT-VALUE}.")
    private double hidden;

    @Option(
            names = "--hidden-weight-2",
            paramLabel = "W",
            defaultValue = "0",
            description = "Stage 2: weight of hidden-state regression. Default: ${DEFAULT-VALUE}, the paper's.")
    private double hidden2;

    @Option(
            names = "--hidden-loss",
            paramLabel = "smooth_l1|mse",
            defaultValue = "smooth_l1",
            description = "Default: ${DEFAULT-VALUE}, the paper's code; its text says mse.")
    private HiddenLoss hiddenLoss = HiddenLoss.SMOOTH_L1;

    @Option(
            names = "--top-tokens",
            paramLabel = "K",
            defaultValue = "10",
            description = "HASS's top-K distillation: K. Default: ${DEFAULT-VALUE}.")
    private int topTokens;

    @Option(
            names = "--top-weight",
            paramLabel = "W",
            defaultValue = "0",
            description = "Stage 1: weight of top-K distillation. Default: ${DEFAULT-VALUE}.")
    private double top;

    @Option(
            names = "--top-weight-2",
            paramLabel = "W",
            defaultValue = "0",
            description = "Stage 2: weight of top-K distillation. Default: ${DEFAULT-VALUE}.")
    private double top2;

    @Option(
            names = "--detach",
            paramLabel = "true|false",
            description = "Stage 1: stop gradients between steps. Default: true, the paper's; false for eagle3.",
            arity = "1")
    private @Nullable Boolean detach;

    StagePlan first(Recipe recipe, int hiddenSize) {
        boolean eagle3 = recipe == Recipe.EAGLE3;
        double all = recipe.hasSecondStage() ? FIRST_EPOCHS : FIRST_EPOCHS + SECOND_EPOCHS;
        return new StagePlan(
                epochs != null ? epochs : all,
                rate != null ? rate : scaled(FIRST_RATE, hiddenSize),
                steps(recipe),
                decay(recipe),
                detach != null ? detach : !eagle3,
                crossEntropy,
                hidden,
                hiddenLoss,
                topTokens,
                top);
    }

    StagePlan second(Recipe recipe, int hiddenSize) {
        double all = recipe.hasSecondStage() ? SECOND_EPOCHS : 0;
        return new StagePlan(
                epochs2 != null ? epochs2 : all,
                rate2 != null ? rate2 : scaled(SECOND_RATE, hiddenSize),
                steps(recipe),
                decay(recipe),
                false,
                1,
                hidden2,
                hiddenLoss,
                topTokens,
                top2);
    }

    private int steps(Recipe recipe) {
        return steps != null ? steps : recipe.defaultSteps();
    }

    private double decay(Recipe recipe) {
        return decay != null ? decay : recipe == Recipe.EAGLE3 ? EAGLE3_DECAY : 1;
    }

    private static double scaled(double rate, int hiddenSize) {
        return rate * Math.sqrt(RATE_WIDTH / hiddenSize);
    }
}
