package io.prism.kernels.vector;

import io.prism.kernels.Activation;
import io.prism.kernels.AttentionLayout;
import io.prism.kernels.Kernels;
import io.prism.kernels.KvCache;
import io.prism.kernels.RotaryTable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Everything in a decoder pass but products and attention, at the widths of Llama-3.2-1B. */
@State(Scope.Benchmark)
public class RowOperations {
    private static final int WIDTH = 2048;
    private static final int MLP_WIDTH = 8192;
    private static final int VOCABULARY = 128256;
    private static final float TEMPERATURE = 0.7f;
    private static final int TOP_K = 10;
    private static final long KEY = 0x0123456789ABCDEFL;

    @Param({"1", "16"})
    public int count = 1;

    @Param("2")
    public int threads = 2;

    final int[] indices = new int[TOP_K];
    final float[] values = new float[TOP_K];
    private final AttentionLayout layout = new AttentionLayout();
    private Kernels kernels = new VectorKernelProvider().open(1);
    private RotaryTable rotary = Samples.rotary(2, 1);
    private float[] hidden = new float[0];
    private float[] weight = new float[0];
    private float[] gateUp = new float[0];
    private float[] qkv = new float[0];
    private float[] logits = new float[0];
    private float[] out = new float[0];

    @Setup(Level.Trial)
    public void open() {
        open(new VectorKernelProvider().open(threads));
    }

    /** Takes over the kernels. */
    void open(Kernels kernels) {
        this.kernels = kernels;
        KvCache cache = new KvCache(1, 8, 64, count);
        cache.ensure(count);
        layout.clear();
        layout.addSequence(cache, 0, count);
        rotary = Samples.rotary(64, count);
        hidden = Samples.normal(1, count * WIDTH, 1);
        weight = Samples.normal(2, WIDTH, 1);
        gateUp = Samples.normal(3, count * 2 * MLP_WIDTH, 1);
        qkv = Samples.normal(4, count * AttentionPass.LLAMA_1B.qkvWidth(), 1);
        logits = Samples.normal(5, VOCABULARY, 4);
        out = new float[Math.max(VOCABULARY, count * MLP_WIDTH)];
    }

    @TearDown(Level.Trial)
    public void close() {
        kernels.close();
    }

    @Benchmark
    public float[] rmsNorm() {
        kernels.rmsNorm(hidden, 0, weight, 1e-5f, count, WIDTH, out, 0);
        return out;
    }

    @Benchmark
    public float[] rotateAndStore() {
        kernels.rotateAndStore(layout, AttentionPass.LLAMA_1B, rotary, 0, qkv);
        return qkv;
    }

    @Benchmark
    public float[] silu() {
        kernels.gate(Activation.SILU, gateUp, count, MLP_WIDTH, out);
        return out;
    }

    @Benchmark
    public float[] geluTanh() {
        kernels.gate(Activation.GELU_TANH, gateUp, count, MLP_WIDTH, out);
        return out;
    }

    @Benchmark
    public float[] addScaled() {
        kernels.addScaled(hidden, 0, 1e-3f, out, 0, count * WIDTH);
        return out;
    }

    @Benchmark
    public int argmax() {
        return kernels.argmax(logits, 0, VOCABULARY);
    }

    @Benchmark
    public float logSumExp() {
        return kernels.logSumExp(logits, 0, VOCABULARY, TEMPERATURE);
    }

    @Benchmark
    public float[] softmax() {
        kernels.softmax(logits, 0, VOCABULARY, TEMPERATURE, out, 0);
        return out;
    }

    @Benchmark
    public int[] topK() {
        kernels.topK(logits, 0, VOCABULARY, TOP_K, indices, values);
        return indices;
    }

    @Benchmark
    public float[] gumbelNoise() {
        kernels.gumbelNoise(KEY, null, VOCABULARY, TEMPERATURE, out, 0);
        return out;
    }

    @Benchmark
    public int gumbelNoiseAndDraw() {
        kernels.gumbelNoise(KEY, null, VOCABULARY, TEMPERATURE, out, 0);
        return kernels.draw(logits, 0, VOCABULARY, out);
    }
}
