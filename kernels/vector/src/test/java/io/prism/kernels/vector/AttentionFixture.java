package io.prism.kernels.vector;

import io.prism.kernels.AttentionLayout;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.KvCache;
import io.prism.kernels.RotaryTable;
import java.util.Random;

/** A cache filled with random history, and rows to attend with. One layer. */
final class AttentionFixture {
    private static final ScalarKernels REFERENCE = new ScalarKernels();

    final AttentionShape shape;
    final KvCache cache;
    private final RotaryTable rotary;

    AttentionFixture(AttentionShape shape, int history, int room) {
        this.shape = shape;
        cache = new KvCache(1, shape.kvHeads(), shape.headSize(), history + room);
        cache.ensure(history + room);
        rotary = Samples.rotary(shape.headSize(), history + room);
        AttentionLayout layout = new AttentionLayout();
        layout.addSequence(cache, 0, history);
        REFERENCE.rotateAndStore(layout, shape, rotary, 0, rows(history, 11));
    }

    static AttentionShape shape(int heads, int kvHeads, int headSize, float softCap) {
        return new AttentionShape(heads, kvHeads, headSize, (float) (1 / Math.sqrt(headSize)), softCap);
    }

    /** Random rows {@code [q | k | v]}. */
    float[] rows(int rows, long seed) {
        return Samples.normal(seed, rows * shape.qkvWidth(), 1.5);
    }

    /** Stores keys and values of {@code rows}, rotates its queries and returns it. */
    float[] store(AttentionLayout layout, float[] rows) {
        REFERENCE.rotateAndStore(layout, shape, rotary, 0, rows);
        return rows;
    }

    /** Random parents; chains and siblings both occur. */
    static int[] parents(int nodes, long seed) {
        Random random = new Random(seed);
        int[] parents = new int[nodes];
        for (int node = 1; node < nodes; node++) {
            parents[node] = random.nextBoolean() ? node - 1 : random.nextInt(node);
        }
        return parents;
    }
}
