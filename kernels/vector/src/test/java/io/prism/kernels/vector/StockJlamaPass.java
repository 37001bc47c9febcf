package io.prism.kernels.vector;

import com.github.tjake.jlama.math.VectorMath;
import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.tensor.AbstractTensor;
import com.github.tjake.jlama.tensor.FloatBufferTensor;
import com.github.tjake.jlama.tensor.Q4ByteBufferTensor;
import com.github.tjake.jlama.tensor.Q8ByteBufferTensor;
import com.github.tjake.jlama.tensor.TensorShape;
import com.github.tjake.jlama.tensor.operations.TensorOperationsProvider;
import io.prism.kernels.Matrix;
import io.prism.kernels.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * The products of {@link MatrixPass} for Q4 weights by stock Jlama, as its layers call them: activations quantised to
 * I8 (here beforehand, which favours it), outputs split over its pool. Native where jlama-native loads.
 */
@State(Scope.Benchmark)
public class StockJlamaPass {
    @Param({"1", "4"})
    public int rows = 1;

    @Param("4")
    public int layers = 4;

    private final List<AbstractTensor> weights = new ArrayList<>();
    private final List<AbstractTensor> activations = new ArrayList<>();
    private final List<AbstractTensor> results = new ArrayList<>();

    @Setup(Level.Trial)
    public void open() {
        open(DecoderShape.llama1b(layers));
    }

    void open(DecoderShape shape) {
        List<DecoderShape.Product> products = new ArrayList<>();
        for (int layer = 0; layer < shape.layers(); layer++) {
            products.addAll(List.of(
                    new DecoderShape.Product(shape.width(), shape.width()),
                    new DecoderShape.Product(shape.kvWidth(), shape.width()),
                    new DecoderShape.Product(shape.kvWidth(), shape.width()),
                    new DecoderShape.Product(shape.width(), shape.width()),
                    new DecoderShape.Product(shape.mlpWidth(), shape.width()),
                    new DecoderShape.Product(shape.mlpWidth(), shape.width()),
                    new DecoderShape.Product(shape.width(), shape.mlpWidth())));
        }
        products.add(shape.head());
        for (DecoderShape.Product product : products) {
            try (Arena arena = Arena.ofConfined()) {
                weights.add(tensor(RandomMatrix.of(Precision.Q4, product.outputs(), product.inputs(), 1, arena)));
            }
            activations.add(quantized(RandomMatrix.activations(rows * product.inputs(), rows), product.inputs()));
            results.add(new FloatBufferTensor(TensorShape.of(rows, product.outputs())));
        }
    }

    private static AbstractTensor tensor(Matrix matrix) {
        MemorySegment values = Arena.ofAuto().allocate(matrix.values().byteSize(), 64);
        values.copyFrom(matrix.values());
        MemorySegment scales = Arena.ofAuto().allocate(matrix.scales().byteSize(), 64);
        scales.copyFrom(matrix.scales());
        ByteBuffer bytes = values.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        FloatBufferTensor blocks = new FloatBufferTensor(
                "scales",
                scales.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer(),
                TensorShape.of(matrix.rows(), matrix.columns() / Precision.BLOCK),
                true);
        return new Q4ByteBufferTensor("weights", bytes, blocks, TensorShape.of(matrix.rows(), matrix.columns()), true);
    }

    private AbstractTensor quantized(float[] x, int inputs) {
        FloatBufferTensor floats = new FloatBufferTensor(TensorShape.of(rows, inputs));
        for (int row = 0; row < rows; row++) {
            for (int k = 0; k < inputs; k++) {
                floats.set(x[row * inputs + k], row, k);
            }
        }
        AbstractTensor quantized = new Q8ByteBufferTensor(floats);
        if (quantized.dType() != DType.I8) {
            throw new IllegalStateException("Expected I8 activations, found " + quantized.dType());
        }
        return quantized;
    }

    /** What computes, for instance {@code Native SIMD Operations (OffHeap)}. */
    static String operations() {
        return TensorOperationsProvider.get().name();
    }

    /** Multiplies by every matrix; the result is the head's, [rows, vocabulary]. */
    @Benchmark
    public Object pass() {
        for (int i = 0; i < weights.size(); i++) {
            AbstractTensor w = weights.get(i);
            AbstractTensor x = activations.get(i);
            AbstractTensor y = results.get(i);
            int inputs = w.shape().last();
            VectorMath.pchunk(
                    0,
                    w.shape().first(),
                    (from, count) -> TensorOperationsProvider.get().dotProductChunk(y, x, w, 0, inputs, from, count));
        }
        return results.getLast();
    }
}
