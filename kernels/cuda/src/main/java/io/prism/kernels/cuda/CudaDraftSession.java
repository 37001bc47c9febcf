package io.prism.kernels.cuda;

import io.prism.kernels.DraftEngineSession;
import io.prism.kernels.DraftRound;
import io.prism.kernels.DraftScoring;
import io.prism.kernels.DraftWeights;
import java.util.ArrayList;
import java.util.List;

/** A session's pages on the device; rounds are the engine's. */
final class CudaDraftSession implements DraftEngineSession {
    private final CudaDraftEngine engine;
    private final int tokens;
    private final long pageBytes;
    private final List<DeviceBuffer> pages = new ArrayList<>();
    private boolean closed;

    CudaDraftSession(CudaDraftEngine engine, DraftWeights weights) {
        this.engine = engine;
        this.tokens = weights.head().matrix().rows();
        this.pageBytes = 2L * RoundBuffers.PAGE_SLOTS * weights.attention().kvWidth() * Float.BYTES;
    }

    @Override
    public void run(
            int length,
            float[] embeddings,
            float[] features,
            int featureOffset,
            int rows,
            int steps,
            int topK,
            int nodes,
            DraftScoring scoring,
            DraftRound round) {
        if (rows < 1
                || rows > RoundBuffers.MOST_ROWS
                || steps < 0
                || steps > RoundBuffers.MOST_STEPS
                || topK < 1
                || topK > Math.min(tokens, RoundBuffers.MOST_WIDTH)
                || nodes < 1
                || nodes > RoundBuffers.MOST_NODES) {
            throw new IllegalArgumentException("A round of " + rows + " rows, " + steps + " steps, top-" + topK + ", "
                    + nodes + " nodes: expected no more than " + engine.limits() + " and " + tokens + " tokens");
        }
        if (scoring.keys().length > RoundBuffers.MOST_STEPS
                || (scoring.temperature() > 0 && scoring.keys().length < steps)) {
            throw new IllegalArgumentException(scoring.keys().length + " keys of draws for a round of " + steps
                    + " steps: expected one for each, at most " + RoundBuffers.MOST_STEPS);
        }
        RoundShape shape = RoundShape.covering(rows, steps, topK);
        int slots = length + rows + Math.max(0, steps - 1) * topK;
        int needed = (slots + RoundBuffers.PAGE_SLOTS - 1) / RoundBuffers.PAGE_SLOTS;
        if (pages.size() < needed) {
            engine.addPages(pages, needed, pageBytes);
        }
        engine.run(pages, length, embeddings, features, featureOffset, rows, nodes, scoring, shape, round);
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            engine.closeSession(pages);
        }
    }
}
