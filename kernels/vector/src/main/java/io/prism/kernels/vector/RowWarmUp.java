package io.prism.kernels.vector;

import io.prism.kernels.Activation;
import io.prism.kernels.AttentionLayout;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.KvCache;
import io.prism.kernels.RotaryTable;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Has attention and the operations on rows and logits compiled in the background, from many short calls as {@link
 * TileWarmUp} does for the tiles. Without it the first prompt of a 1B model waited seconds for them, and the first ten
 * tokens after it took 80 ms longer (2 cores of Zen 5, 2026-11).
 */
final class RowWarmUp {
    /** Enough for the last tier of compilation, and some that use the result. */
    private static final int CALLS = 2_000;

    private static final AttentionShape SHAPE = new AttentionShape(8, 2, 64, 0.125f, 0);
    private static final int WIDTH = SHAPE.queryWidth();
    private static final int HISTORY = 3 * KvCache.PAGE_SLOTS / 2;

    /** Parents of the nodes of a tree with siblings. */
    private static final int[] TREE = {0, 0, 0, 1};

    private final AtomicBoolean begun = new AtomicBoolean();

    /** Begins unless that was done before. */
    void begin() {
        if (begun.compareAndSet(false, true)) {
            Thread.ofPlatform().daemon().name("prism-warm-up-rows").start(RowWarmUp::run);
        }
    }

    /** Calls what a decoder layer and a head call, on kernels of its own, so that no one waits for it. */
    static void run() {
        try (VectorKernels kernels = new VectorKernels(new WorkerTeam(1))) {
            KvCache cache = new KvCache(1, SHAPE.kvHeads(), SHAPE.headSize(), HISTORY + TREE.length);
            cache.ensure(HISTORY + TREE.length);
            RotaryTable rotary = RotaryTable.unscaled(10_000, SHAPE.headSize(), HISTORY + TREE.length);
            AttentionLayout token = new AttentionLayout();
            token.addSequence(cache, HISTORY, 1);
            AttentionLayout tree = new AttentionLayout();
            tree.addTree(cache, HISTORY, TREE, TREE.length);
            float[] weight = new float[WIDTH];
            float[] x = new float[TREE.length * WIDTH];
            float[] y = new float[TREE.length * WIDTH];
            float[] qkv = new float[TREE.length * SHAPE.qkvWidth()];
            float[] gateUp = new float[TREE.length * 2 * WIDTH];
            int[] best = new int[TREE.length];
            float[] values = new float[TREE.length];
            for (int call = 0; call < CALLS; call++) {
                AttentionLayout layout = call % 2 == 0 ? token : tree;
                int rows = layout.rows();
                kernels.rmsNorm(x, 0, weight, 1e-5f, rows, WIDTH, y, 0);
                kernels.rotateAndStore(layout, SHAPE, rotary, 0, qkv);
                kernels.attention(layout, SHAPE, 0, qkv, y);
                kernels.addScaled(y, 0, 1, x, 0, rows * WIDTH);
                kernels.gate(Activation.SILU, gateUp, rows, WIDTH, y);
                kernels.argmax(x, 0, x.length);
                kernels.logSumExp(x, 0, x.length, 1);
                kernels.softmax(x, 0, x.length, 1, y, 0);
                kernels.topK(x, 0, x.length, best.length, best, values);
            }
        }
    }
}
