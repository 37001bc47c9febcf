package io.prism.jlama.internals;

import com.github.tjake.jlama.tensor.AbstractTensor;
import com.github.tjake.jlama.tensor.Q4ByteBufferTensor;
import com.github.tjake.jlama.tensor.Q8ByteBufferTensor;
import io.prism.kernels.Matrix;
import io.prism.kernels.Precision;
import java.lang.foreign.MemorySegment;

/** Views of Jlama's tensors. Stateless. */
public final class JlamaTensors {
    private JlamaTensors() {}

    /**
     * A weight matrix where Jlama keeps it; nothing is copied, and the segments keep the memory reachable.
     *
     * @param name for messages
     * @throws UnsupportedModelException if it is a shard of a matrix, or of a type the kernels don't read
     */
    public static Matrix matrix(String name, AbstractTensor<?, ?> tensor) {
        if (tensor.dims() != 2) {
            throw new UnsupportedModelException(name + " has " + tensor.dims() + " dimensions, expected 2");
        }
        int rows = tensor.shape().first();
        int columns = tensor.shape().last();
        // Jlama marks every tensor it may shard as sparse, whole ones too: only the lengths tell.
        if (tensor.shape().sparseRowLength() != rows || tensor.shape().sparseColumnLength() != columns) {
            throw new UnsupportedModelException(
                    name + " is a shard of " + tensor.shape().sparseRowLength() + " x "
                            + tensor.shape().sparseColumnLength() + " of " + rows + " x " + columns
                            + ", expected the whole matrix");
        }
        Precision precision = precision(name, tensor);
        if (precision.isQuantized() && columns % Precision.BLOCK != 0) {
            throw new UnsupportedModelException(name + " is " + precision + " with " + columns
                    + " columns, expected a multiple of " + Precision.BLOCK);
        }
        return new Matrix(precision, rows, columns, tensor.getMemorySegment(), scales(tensor));
    }

    /** The elements of a vector, or of a one-row matrix, as floats. */
    public static float[] vector(AbstractTensor<?, ?> tensor) {
        float[] values = new float[tensor.shape().last()];
        for (int i = 0; i < values.length; i++) {
            values[i] = tensor.get(0, i);
        }
        return values;
    }

    private static Precision precision(String name, AbstractTensor<?, ?> tensor) {
        return switch (tensor.dType()) {
            case F32 -> Precision.F32;
            case BF16 -> Precision.BF16;
            case I8 -> Precision.I8;
            case Q4 -> Precision.Q4;
            default ->
                throw new UnsupportedModelException(
                        name + " is stored as " + tensor.dType() + ", expected F32, BF16, I8 or Q4");
        };
    }

    private static MemorySegment scales(AbstractTensor<?, ?> tensor) {
        return switch (tensor) {
            case Q4ByteBufferTensor q4 -> q4.getBlockF().getMemorySegment();
            case Q8ByteBufferTensor i8 -> i8.getBlockF().getMemorySegment();
            default -> MemorySegment.NULL;
        };
    }
}
