package io.prism.kernels.vector;

import io.prism.kernels.Matrix;
import java.util.List;

/** Copies stacked matrices into panels; a chunk is a panel. */
final class PackTask implements WorkerTeam.Task {
    private final Matrix[] stacked;
    private final PanelMatrix target;

    PackTask(List<Matrix> stacked, PanelMatrix target) {
        this.stacked = stacked.toArray(Matrix[]::new);
        this.target = target;
    }

    @Override
    public void run(int panel) {
        int from = panel * PanelLayout.WIDTH;
        int to = Math.min(from + PanelLayout.WIDTH, target.rows());
        int first = 0;
        for (Matrix matrix : stacked) {
            int last = first + matrix.rows();
            for (int output = Math.max(from, first); output < Math.min(to, last); output++) {
                PanelLayout.store(matrix, output - first, target.segment(), output, target.isRounded());
            }
            first = last;
        }
    }
}
