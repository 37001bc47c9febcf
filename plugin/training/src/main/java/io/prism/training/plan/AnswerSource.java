package io.prism.training.plan;

/** Where the answers trained on come from. */
public enum AnswerSource {
    /** The target answers the prompts itself. */
    TARGET,
    /** The data file's own answers. */
    DATASET
}
