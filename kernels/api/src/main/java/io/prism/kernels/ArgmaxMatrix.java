package io.prism.kernels;

/**
 * A smaller copy of a packed matrix, in which {@link Kernels#argmaxOfProduct} looks for the outputs that may be the
 * largest. Immutable and safe for use by many threads; belongs to the {@link Kernels} that made it.
 */
public interface ArgmaxMatrix extends AutoCloseable {

    /** The most rows of a product for which this is the faster way. */
    int mostRows();

    /** Bytes of memory held besides the packed matrix. */
    long ownBytes();

    /** Releases memory held by this object, not the packed matrix; it must not be in use. */
    @Override
    void close();
}
