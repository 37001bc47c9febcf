package io.prism.kernels.vector;

import io.prism.kernels.Matrix;
import io.prism.kernels.PackedMatrix;
import io.prism.kernels.Packing;
import io.prism.kernels.Precision;
import java.lang.foreign.Arena;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** The tokens with the largest logits, by the head of Llama-3.2-1B: by all logits, and by a search. */
@State(Scope.Benchmark)
public class HeadSearch {
    @Param({"BF16", "F32"})
    public Precision precision = Precision.BF16;

    @Param({"1", "2", "3", "4", "6", "8"})
    public int rows = 1;

    @Param("2")
    public int threads = 2;

    private WorkerTeam team = new WorkerTeam(1);
    private MatrixProducts products = new MatrixProducts(team);
    private ArgmaxProducts argmax = new ArgmaxProducts(team, products, 0);
    private Arena sources = Arena.global();
    private PackedMatrix head;
    private ScreenedMatrix screened;
    private int outputs;
    private float[] x = new float[0];
    private float[] y = new float[0];
    private int[] found = new int[0];

    @Setup(Level.Trial)
    public void open() {
        open(DecoderShape.llama1b(1).head());
    }

    @SuppressWarnings("MustBeClosedChecker") // closed by close()
    void open(DecoderShape.Product shape) {
        MixedProfiles.begin();
        team = new WorkerTeam(threads);
        products = new MatrixProducts(team);
        argmax = new ArgmaxProducts(team, products, 0);
        sources = Arena.ofShared();
        outputs = shape.outputs();
        Matrix source = RandomMatrix.of(precision, outputs, shape.inputs(), 1, sources);
        head = products.pack(List.of(source), Packing.PANELS);
        screened = (ScreenedMatrix) argmax.pack(head, source).orElseThrow();
        x = RandomMatrix.activations(rows * shape.inputs(), rows);
        y = new float[rows * outputs];
        found = new int[rows];
    }

    @TearDown(Level.Trial)
    public void close() {
        screened.close();
        head.close();
        team.close();
        sources.close();
    }

    @Benchmark
    public int[] byAllLogits() {
        products.multiply(head, x, 0, rows, y, 0);
        for (int row = 0; row < rows; row++) {
            found[row] = VectorLogits.argmax(y, row * outputs, outputs);
        }
        return found;
    }

    @Benchmark
    public int[] bySearch() {
        if (!argmax.find(screened, x, 0, rows, null, found)) {
            throw new IllegalStateException("Not found");
        }
        return found;
    }
}
