package io.prism.kernels.vector;

import io.prism.kernels.AttentionLayout;
import io.prism.kernels.AttentionShape;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Splits attention into tasks of one key/value head and a run of rows, and spreads them over the team. */
final class VectorAttention {
    /** Queries that share a pass over keys and values: enough to hide loading them, few enough to stay in L2. */
    private static final int QUERIES_OF_TASK = 64;

    /** Multiply-adds that one thread does in about the time it takes to call others in (10 us on Zen 5). */
    private static final long WORK_ALONE = 400_000;

    private final WorkerTeam team;
    private final ThreadLocal<Pass> passes = ThreadLocal.withInitial(Pass::new);
    private final ThreadLocal<AttentionTask> tasks = ThreadLocal.withInitial(AttentionTask::new);

    VectorAttention(WorkerTeam team) {
        this.team = team;
    }

    /** Arguments as in {@link io.prism.kernels.Kernels#attention}. */
    void compute(AttentionLayout layout, AttentionShape shape, int layer, float[] qkv, float[] out) {
        Pass pass = passes.get();
        pass.start(layout, shape, layer, qkv, out);
        try {
            if (pass.count() > 1 && pass.work() > WORK_ALONE && team.tryAcquire()) {
                runShared(pass);
            } else {
                runAlone(pass);
            }
        } finally {
            pass.end();
        }
    }

    private void runShared(Pass pass) {
        try {
            team.run(pass, pass.count());
        } finally {
            team.release();
        }
    }

    private static void runAlone(Pass pass) {
        for (int task = 0; task < pass.count(); task++) {
            pass.run(task);
        }
    }

    /** One call, cut into tasks. */
    private final class Pass implements WorkerTeam.Task {
        private @Nullable AttentionLayout layout;
        private @Nullable AttentionShape shape;
        private int layer;
        private float @Nullable [] qkv;
        private float @Nullable [] out;
        /** Rows {@code starts[i]} to {@code starts[i + 1] - 1} are a task for every key/value head. */
        private int[] starts = new int[16];

        private int runs;

        void start(AttentionLayout layout, AttentionShape shape, int layer, float[] qkv, float[] out) {
            this.layout = layout;
            this.shape = shape;
            this.layer = layer;
            this.qkv = qkv;
            this.out = out;
            int rowsOfTask = Math.max(1, QUERIES_OF_TASK * shape.kvHeads() / shape.heads());
            if (starts.length <= layout.rows()) {
                starts = Arrays.copyOf(starts, Math.max(layout.rows() + 1, 2 * starts.length));
            }
            runs = 0;
            for (int row = 0; row < layout.rows(); row++) {
                if (row == 0 || row == starts[runs - 1] + rowsOfTask || layout.cache(row) != layout.cache(row - 1)) {
                    starts[runs++] = row;
                }
            }
            starts[runs] = layout.rows();
        }

        void end() {
            layout = null;
            shape = null;
            qkv = null;
            out = null;
        }

        int count() {
            return runs * shape.kvHeads();
        }

        /** Multiply-adds of the call. */
        long work() {
            long seen = 0;
            for (int row = 0; row < layout.rows(); row++) {
                seen += layout.visible(row);
            }
            return 2 * seen * shape.queryWidth();
        }

        /** The last rows see most: they go first, so that no thread is left with a long task at the end. */
        @Override
        public void run(int index) {
            int run = runs - 1 - index / shape.kvHeads();
            int kvHead = index % shape.kvHeads();
            tasks.get().compute(layout, shape, layer, kvHead, starts[run], starts[run + 1], qkv, out);
        }
    }
}
