package io.prism.kernels.vector;

import io.prism.kernels.AttentionLayout;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.Kernels;
import io.prism.kernels.KvCache;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Attention of one decoder pass over a binary token tree, in all layers; each layer has keys and values of its own. */
@State(Scope.Benchmark)
public class AttentionPass {
    /** Heads of Llama-3.2-1B. */
    static final AttentionShape LLAMA_1B = new AttentionShape(32, 8, 64, 0.125f, 0);

    @Param({"1", "4", "8", "16"})
    public int rows = 1;

    @Param({"128", "2048"})
    public int context = 128;

    @Param("16")
    public int layers = 16;

    @Param("2")
    public int threads = 2;

    final AttentionLayout layout = new AttentionLayout();
    AttentionShape shape = LLAMA_1B;
    float[] qkv = new float[0];
    private Kernels kernels = new VectorKernelProvider().open(1);
    private float[] out = new float[0];

    @Setup(Level.Trial)
    public void open() {
        open(LLAMA_1B);
    }

    void open(AttentionShape shape) {
        this.shape = shape;
        kernels = new VectorKernelProvider().open(threads);
        KvCache cache = new KvCache(layers, shape.kvHeads(), shape.headSize(), context + rows);
        cache.ensure(context + rows);
        for (int layer = 0; layer < layers; layer++) {
            fill(cache.keyPages(layer), layer);
            fill(cache.valuePages(layer), -layer - 1);
        }
        int[] parents = new int[rows];
        for (int node = 1; node < rows; node++) {
            parents[node] = (node - 1) / 2;
        }
        layout.clear();
        layout.addTree(cache, context, parents, rows);
        qkv = Samples.normal(rows, rows * shape.qkvWidth(), 1);
        out = new float[rows * shape.queryWidth()];
    }

    private static void fill(float[][] pages, long seed) {
        float[] values = Samples.normal(seed, pages[0].length, 1);
        for (float[] page : pages) {
            System.arraycopy(values, 0, page, 0, page.length);
        }
    }

    @TearDown(Level.Trial)
    public void close() {
        kernels.close();
    }

    /** Attends in every layer; the result is the last one's. */
    @Benchmark
    public float[] pass() {
        for (int layer = 0; layer < layers; layer++) {
            kernels.attention(layout, shape, layer, qkv, out);
        }
        return out;
    }

    /** Bytes of keys and values that a pass reads. */
    static long bytes(int context, int layers) {
        return 2L * context * LLAMA_1B.kvWidth() * Float.BYTES * layers;
    }

    /** Additions and multiplications of a pass, exponentials apart. */
    static double operations(int rows, int context, int layers) {
        return 4.0 * rows * context * LLAMA_1B.queryWidth() * layers;
    }
}
