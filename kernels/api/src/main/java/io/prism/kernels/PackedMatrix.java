package io.prism.kernels;

/**
 * A weight matrix made ready for {@link Kernels#multiply}. Immutable and safe for use by many threads; belongs to the
 * {@link Kernels} that made it.
 */
public interface PackedMatrix extends AutoCloseable {

    /** Number of outputs. */
    int rows();

    /** Number of inputs. */
    int columns();

    /** How elements are stored. */
    Precision precision();

    /** Bytes of memory held by this object itself; 0 when it reads its source in place. */
    long ownBytes();

    /** Bytes one multiplication streams from memory, scales included. */
    long streamedBytes();

    /** Releases memory held by this object; it must not be in use. */
    @Override
    void close();
}
