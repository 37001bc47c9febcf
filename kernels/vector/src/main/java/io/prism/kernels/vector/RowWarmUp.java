package io.prism.kernels.vector;

import io.prism.kernels.Activation;
import io.prism.kernels.AttentionLayout;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.KvCache;
import io.prism.kernels.Matrix;
import io.prism.kernels.RotaryTable;
import java.util.List;

/**
 * Has attention and the operations on rows and logits compiled in the background, from many short calls as {@link
 * TileWarmUp} does for the tiles. Without it a first prompt of 16 tokens at the shape of a 1B model spent a second in them,
 * and each of the next tokens 30 ms; with it 14 ms and 1 ms, 3 s after packing began (2 cores of Zen 5, 2026-11).
 */
final class RowWarmUp {
    /**
     * Weights of models that are worth it. Smaller ones are packed before anything is warm, and a first request warms up as
     * fast by itself: with it one of 60 tokens of a 6M model took 2.0 s instead of 1.4 s.
     */
    private static final long LEAST_WEIGHTS = 64L << 20;

    /** Enough for the last tier of compilation (600 calls and 15000 rounds of loops), and some that use the result. */
    private static final int CALLS = 1_000;

    private static final AttentionShape SHAPE = new AttentionShape(8, 2, 64, 0.125f, 0);
    private static final int WIDTH = SHAPE.queryWidth();
    private static final int HISTORY = 3 * KvCache.PAGE_SLOTS / 2;

    /** Parents of the nodes of a tree with siblings. */
    private static final int[] TREE = {0, 0, 0, 1};

    private long weights;

    /** Counts weights that are packed, and begins when there are enough. */
    synchronized void packing(List<Matrix> stacked) {
        boolean few = weights < LEAST_WEIGHTS;
        for (Matrix matrix : stacked) {
            weights += (long) matrix.rows() * matrix.columns();
        }
        if (few && weights >= LEAST_WEIGHTS) {
            Thread.ofPlatform().daemon().name("prism-warm-up-rows").start(RowWarmUp::run);
        }
    }

    /** Calls what a decoder layer and a head call, on kernels of its own, so that no one waits for it. */
    static void run() {
        MixedProfiles.await();
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
            ArgmaxSearch search = new ArgmaxSearch();
            search.reserve(1, x.length);
            search.begin(new float[] {1}, 0, 1, 1, new float[x.length], new float[x.length]);
            search.estimates()[x.length / 2] = 1;
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
                kernels.gumbelNoise(call, null, x.length, 1, y, 0);
                kernels.draw(x, 0, x.length, y);
                search.run(0);
            }
        }
    }
}
