package io.prism.training.plan;

/** How a drafter's output is compared with the target's hidden state. */
public enum HiddenLoss {
    SMOOTH_L1,
    MSE
}
