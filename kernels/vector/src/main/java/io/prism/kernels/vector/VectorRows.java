package io.prism.kernels.vector;

import io.prism.kernels.Activation;
import io.prism.kernels.AttentionLayout;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.RotaryTable;
import org.jspecify.annotations.Nullable;

/** Operations on rows that are worth sharing out when there are many. Arguments as in {@link io.prism.kernels.Kernels}. */
final class VectorRows {
    /** Elements that one thread treats in about the time it takes to call others in (10 us on Zen 5). */
    private static final long ELEMENTS_ALONE = 1 << 16;

    private static final int ROWS_OF_CHUNK = 4;

    private final WorkerTeam team;
    private final NormTask norm = new NormTask();
    private final GateTask gate = new GateTask();
    private final RotaryTask rotary = new RotaryTask();

    VectorRows(WorkerTeam team) {
        this.team = team;
    }

    private boolean share(int rows, int width) {
        return rows > ROWS_OF_CHUNK && (long) rows * width > ELEMENTS_ALONE && team.tryAcquire();
    }

    private void run(RowTask task, int rows) {
        task.rows = rows;
        try {
            team.run(task, (rows + ROWS_OF_CHUNK - 1) / ROWS_OF_CHUNK);
        } finally {
            task.forget();
            team.release();
        }
    }

    void rmsNorm(float[] x, int xOffset, float[] weight, float epsilon, int rows, int width, float[] y, int yOffset) {
        if (!share(rows, width)) {
            VectorNorm.rmsNorm(x, xOffset, weight, epsilon, 0, rows, width, y, yOffset);
            return;
        }
        norm.x = x;
        norm.xOffset = xOffset;
        norm.weight = weight;
        norm.epsilon = epsilon;
        norm.width = width;
        norm.y = y;
        norm.yOffset = yOffset;
        run(norm, rows);
    }

    void gate(Activation activation, float[] gateUp, int rows, int width, float[] out) {
        if (!share(rows, width)) {
            VectorElementwise.gate(activation, gateUp, 0, rows, width, out);
            return;
        }
        gate.activation = activation;
        gate.gateUp = gateUp;
        gate.width = width;
        gate.out = out;
        run(gate, rows);
    }

    void rotateAndStore(AttentionLayout layout, AttentionShape shape, RotaryTable table, int layer, float[] qkv) {
        int rows = layout.rows();
        if (!share(rows, shape.qkvWidth())) {
            VectorRotary.rotateAndStore(layout, shape, table, layer, qkv, 0, rows);
            return;
        }
        rotary.layout = layout;
        rotary.shape = shape;
        rotary.table = table;
        rotary.layer = layer;
        rotary.qkv = qkv;
        run(rotary, rows);
    }

    /** The arguments of one call; written only by the thread that has the team. */
    private abstract static class RowTask implements WorkerTeam.Task {
        private int rows;

        @Override
        public final void run(int chunk) {
            int from = chunk * ROWS_OF_CHUNK;
            run(from, Math.min(from + ROWS_OF_CHUNK, rows));
        }

        abstract void run(int fromRow, int toRow);

        /** Lets go of the caller's objects. */
        abstract void forget();
    }

    private static final class NormTask extends RowTask {
        private float @Nullable [] x;
        private int xOffset;
        private float @Nullable [] weight;
        private float epsilon;
        private int width;
        private float @Nullable [] y;
        private int yOffset;

        @Override
        void run(int fromRow, int toRow) {
            VectorNorm.rmsNorm(x, xOffset, weight, epsilon, fromRow, toRow, width, y, yOffset);
        }

        @Override
        void forget() {
            x = null;
            weight = null;
            y = null;
        }
    }

    private static final class GateTask extends RowTask {
        private @Nullable Activation activation;
        private float @Nullable [] gateUp;
        private int width;
        private float @Nullable [] out;

        @Override
        void run(int fromRow, int toRow) {
            VectorElementwise.gate(activation, gateUp, fromRow, toRow, width, out);
        }

        @Override
        void forget() {
            gateUp = null;
            out = null;
        }
    }

    private static final class RotaryTask extends RowTask {
        private @Nullable AttentionLayout layout;
        private @Nullable AttentionShape shape;
        private @Nullable RotaryTable table;
        private int layer;
        private float @Nullable [] qkv;

        @Override
        void run(int fromRow, int toRow) {
            VectorRotary.rotateAndStore(layout, shape, table, layer, qkv, fromRow, toRow);
        }

        @Override
        void forget() {
            layout = null;
            shape = null;
            table = null;
            qkv = null;
        }
    }
}
