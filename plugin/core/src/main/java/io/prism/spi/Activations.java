package io.prism.spi;

/** What a target's forward pass multiplies quantised weights by. */
public enum Activations {
    /** {@link #ROUNDED} where the engine was asked to round activations too, else {@link #F32}. */
    AUTO,
    /** Activations as they are. */
    F32,
    /** Activations rounded where products are cheaper for it: see {@code io.prism.kernels.Packing.ROUNDED_PANELS}. */
    ROUNDED
}
