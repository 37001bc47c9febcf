package io.prism.drafter.prism;

import io.prism.kernels.AttentionLayout;
import io.prism.spi.DraftRequest;
import java.util.ArrayList;
import java.util.List;

/**
 * Drafts for several sessions at once: each draft step is one pass over the rows of all sessions, each with its own KV
 * cache. Reusable; not thread-safe.
 */
final class JointDraft {
    private final DraftNetwork network;
    private final DraftPass pass;
    private final AttentionLayout layout = new AttentionLayout();
    private int[] outputRows = new int[16];

    JointDraft(DraftNetwork network) {
        this.network = network;
        this.pass = new DraftPass(network);
    }

    /** Makes all proposals. The sessions are of this network. */
    void propose(List<DraftRequest> requests) {
        List<DraftRequest> growing = new ArrayList<>(requests);
        try {
            growing.removeIf(request -> !sessionOf(request).begin(request.tree(), request.budget()));
            for (int step = 0; !growing.isEmpty(); step++) {
                run(step, growing);
                growing.removeIf(request -> !sessionOf(request).advance(request.tree()));
            }
        } finally {
            layout.clear();
            pass.clear();
        }
    }

    private static PrismSession sessionOf(DraftRequest request) {
        return (PrismSession) request.session();
    }

    private void run(int step, List<DraftRequest> growing) {
        layout.clear();
        int outputs = 0;
        for (DraftRequest request : growing) {
            PrismSession session = sessionOf(request);
            layout.addAll(session.layout());
            outputs += session.outputs();
        }
        pass.reserve(layout.rows());
        outputRows = outputRows.length < outputs ? new int[2 * outputs] : outputRows;
        int row = 0;
        int output = 0;
        for (DraftRequest request : growing) {
            PrismSession session = sessionOf(request);
            int rows = session.layout().rows();
            pass.copyInputs(session.inputs(), rows, row);
            row += rows;
            for (int last = session.outputs(); last > 0; last--) {
                outputRows[output++] = row - last;
            }
        }
        if (step == 0) {
            pass.projectFeatures(row);
        }
        pass.run(network.module(step), layout, outputRows, outputs);
        pass.head(outputs);
        int first = 0;
        for (DraftRequest request : growing) {
            PrismSession session = sessionOf(request);
            session.ran(pass, first);
            first += session.outputs();
        }
    }
}
