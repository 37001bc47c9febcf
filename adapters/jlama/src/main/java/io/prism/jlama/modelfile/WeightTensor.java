package io.prism.jlama.modelfile;

import java.nio.ByteBuffer;
import java.util.List;

/** A tensor to be written to a safetensors file, a row at a time. */
public interface WeightTensor {

    String name();

    /** The element type's name in the file, for instance {@code BF16}. */
    String type();

    /** The shape that the file tells. */
    List<Long> shape();

    /** Rows that {@link #putRow} is asked for; a vector is one. */
    long rowCount();

    /** Bytes of each row. */
    int rowBytes();

    /**
     * Puts a row; called once for each row, in order.
     *
     * @param out little endian; has room for {@link #rowBytes()}, which is what is to be put, no more and no less
     */
    void putRow(long row, ByteBuffer out);

    /** Bytes of all rows. */
    default long bytes() {
        return rowCount() * rowBytes();
    }
}
