package io.prism.kernels.vector;

import io.prism.kernels.Kernels;
import io.prism.kernels.Matrix;
import io.prism.kernels.PackedMatrix;
import io.prism.kernels.Packing;
import io.prism.kernels.Precision;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** All matrix products of one decoder pass over a number of rows; each layer has weights of its own. */
@State(Scope.Benchmark)
public class MatrixPass {
    @Param({"BF16", "F32", "Q4", "I8"})
    public Precision precision = Precision.BF16;

    @Param({"1", "2", "4", "6", "8", "12", "16", "32"})
    public int rows = 1;

    /** As targets are packed; Q4 with PANELS multiplies activations as they are. */
    @Param("ROUNDED_PANELS")
    public Packing packing = Packing.ROUNDED_PANELS;

    @Param("4")
    public int layers = 4;

    @Param("2")
    public int threads = 2;

    private final List<PackedMatrix> matrices = new ArrayList<>();
    private Kernels kernels = new VectorKernelProvider().open(1);
    private Arena sources = Arena.global();
    private float[] x = new float[0];
    private float[] y = new float[0];

    @Setup(Level.Trial)
    public void open() {
        open(DecoderShape.llama1b(layers));
    }

    @SuppressWarnings("MustBeClosedChecker") // closed by close()
    void open(DecoderShape shape) {
        kernels = new VectorKernelProvider().open(threads);
        sources = Arena.ofShared();
        for (DecoderShape.Product product : shape.layerProducts()) {
            Matrix source = RandomMatrix.of(precision, product.outputs(), product.inputs(), matrices.size(), sources);
            for (int layer = 0; layer < shape.layers(); layer++) {
                matrices.add(kernels.pack(List.of(source), packing));
            }
        }
        DecoderShape.Product head = shape.head();
        matrices.add(kernels.pack(
                List.of(RandomMatrix.of(precision, head.outputs(), head.inputs(), matrices.size(), sources)), packing));
        x = RandomMatrix.activations(rows * Math.max(shape.mlpWidth(), shape.width()), rows);
        y = new float[rows * Math.max(shape.vocabulary(), 2 * shape.mlpWidth())];
    }

    @TearDown(Level.Trial)
    public void close() {
        matrices.forEach(PackedMatrix::close);
        matrices.clear();
        kernels.close();
        sources.close();
    }

    /** Multiplies by every matrix; the result is the head's. */
    @Benchmark
    public float[] pass() {
        for (PackedMatrix matrix : matrices) {
            kernels.multiply(matrix, x, 0, rows, y, 0);
        }
        return y;
    }
}
