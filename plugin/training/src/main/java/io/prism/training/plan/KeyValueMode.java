package io.prism.training.plan;

/** Which module computes the key and value of an entry during training. */
public enum KeyValueMode {
    /** The module that writes the entry at inference: the context's by the first step's, a draft token's by its step's. */
    INFERENCE,
    /** The module of the current step, the accepted context's too, as in the published trainer. */
    PUBLISHED
}
