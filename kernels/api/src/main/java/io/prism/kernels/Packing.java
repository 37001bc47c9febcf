package io.prism.kernels;

/** What {@link Kernels#pack} does with the memory of a matrix. */
public enum Packing {
    /** Copied once into the layout the kernels stream fastest; the source may be released afterwards. */
    PANELS,
    /**
     * As {@link #PANELS}, but activations are rounded where that makes products cheaper, as they are for Q4: each block of 32 to
     * integers of -255 to 255 times a scale, its largest magnitude / 255. Block sums are then exact. Other precisions are
     * packed and multiplied as {@link #PANELS}.
     */
    ROUNDED_PANELS,
    /** Read where it is, in the source's row-major layout; no copy, slower. The source must outlive the result. */
    IN_PLACE
}
