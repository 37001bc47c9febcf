package io.prism.jlama.target;

import io.prism.kernels.Kernels;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * Scratch memory of passes, lent to one pass at a time, so that a session that does not compute holds none. Keeps as
 * many as were ever needed at once, up to a number; warm, it allocates nothing. Thread-safe.
 */
final class PassPool {
    private final Kernels kernels;
    private final DecoderWeights weights;
    private final int mostKept;
    private final Deque<DecoderPass> idle;

    PassPool(Kernels kernels, DecoderWeights weights, int mostKept) {
        this.kernels = kernels;
        this.weights = weights;
        this.mostKept = mostKept;
        this.idle = new ArrayDeque<>(mostKept);
    }

    /** Runs a batch, see {@link DecoderPass#run}. */
    void run(List<SessionRows> parts) {
        DecoderPass pass = take();
        pass.run(parts);
        giveBack(pass); // not after a failure, which may have left it half grown
    }

    private synchronized DecoderPass take() {
        DecoderPass kept = idle.pollLast();
        return kept == null ? new DecoderPass(kernels, weights) : kept;
    }

    private synchronized void giveBack(DecoderPass pass) {
        if (idle.size() < mostKept) {
            idle.addLast(pass);
        }
    }
}
