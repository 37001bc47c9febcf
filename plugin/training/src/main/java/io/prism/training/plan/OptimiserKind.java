package io.prism.training.plan;

/** How gradients become updates. */
public enum OptimiserKind {
    /** Matrices by orthogonalised momentum, all else by AdamW. */
    MUON,
    /** The paper's. */
    ADAMW
}
