package io.prism.kernels;

/** What {@link Kernels#pack} does with the memory of a matrix. */
public enum Packing {
    /** Copied once into the layout the kernels stream fastest; the source may be released afterwards. */
    PANELS,
    /** Read where it is, in the source's row-major layout; no copy, slower. The source must outlive the result. */
    IN_PLACE
}
