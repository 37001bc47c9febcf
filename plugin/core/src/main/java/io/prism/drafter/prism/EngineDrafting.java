package io.prism.drafter.prism;

import io.prism.drafter.beam.BeamSearch;
import io.prism.kernels.DraftEngine;
import io.prism.kernels.DraftEngineSession;
import io.prism.kernels.DraftRound;
import io.prism.kernels.DraftScoring;
import io.prism.kernels.KvCache;
import io.prism.spi.PrismException;
import io.prism.spi.TokenDraw;
import io.prism.tree.DraftBudget;
import io.prism.tree.TokenTree;
import org.jspecify.annotations.Nullable;

/**
 * A session's rounds on an accelerator. The cache entries of committed positions come back with each round and are
 * stored in the host's cache too, so that the host can take over in any round without computing them anew: that costs as
 * much memory as drafting on the host does. Not thread-safe.
 */
final class EngineDrafting implements AutoCloseable {
    private final DraftNetwork network;
    private final DraftEngine.Limits limits;
    private final DraftEngineSession session;
    private final DraftRound round = new DraftRound();
    private final float[] embeddings;

    /** @throws IllegalStateException if the accelerator fails */
    EngineDrafting(DraftNetwork network, DraftEngine engine) {
        this.network = network;
        this.limits = engine.limits();
        this.session = engine.openSession();
        this.embeddings = new float[limits.rows() * network.hidden()];
    }

    /**
     * Writes the cache entries of positions from {@code length} on.
     *
     * @param tokens of the positions, {@code count} of them
     * @param next the token after the last of them
     * @param features [count, feature width]
     * @param cache receives the entries too
     * @throws IllegalStateException if the accelerator fails
     */
    void extend(KvCache cache, int length, int[] tokens, int count, int next, float[] features) {
        run(cache, length, tokens, count, next, features, 0, 1, 1, DraftScoring.PLAIN);
    }

    /**
     * As {@link #extend}, and adds to a tree that holds only its root, the token after the last position.
     *
     * @param mostSteps the greatest depth for which there is room, at least 1
     * @param draw how the target draws; null if it takes the most probable token. What top-k and top-p cut is not left out here
     * @throws IllegalStateException if the accelerator fails; the tree is then as it was
     * @throws PrismException if the model gives NaN
     */
    void propose(
            KvCache cache,
            int length,
            int[] tokens,
            int count,
            float[] features,
            TokenTree tree,
            DraftBudget budget,
            int mostSteps,
            @Nullable TokenDraw draw) {
        int steps = Math.min(Math.min(budget.steps(), mostSteps), limits.steps());
        int topK = Math.min(Math.min(budget.topK(), network.draftVocabulary()), limits.topK());
        int nodes = Math.min(budget.nodes(), limits.nodes());
        DraftScoring scoring = scoring(draw, length + count + 1, steps);
        run(cache, length, tokens, count, tree.token(0), features, steps, topK, nodes, scoring);
        if (!round.isFinite()) {
            throw new PrismException("The draft model gives NaN; its weights don't fit this target");
        }
        int[] ids = network.head().targetIds();
        for (int i = 0; i < round.size(); i++) {
            int token = ids == null ? round.token(i) : ids[round.token(i)];
            tree.add(round.parent(i), token, round.logProbability(i));
        }
    }

    /** @param first position of the root's children */
    private static DraftScoring scoring(@Nullable TokenDraw draw, int first, int steps) {
        float sharpness = BeamSearch.sharpness(draw);
        if (draw == null) {
            return new DraftScoring(sharpness);
        }
        long[] keys = new long[steps];
        for (int step = 0; step < steps; step++) {
            keys[step] = draw.key(first + step);
        }
        return new DraftScoring(sharpness, draw.temperature(), keys);
    }

    private void run(
            KvCache cache,
            int length,
            int[] tokens,
            int count,
            int next,
            float[] features,
            int steps,
            int topK,
            int nodes,
            DraftScoring scoring) {
        cache.ensure(length + count);
        for (int from = 0; from < count; from += limits.rows()) {
            int rows = Math.min(limits.rows(), count - from);
            boolean last = from + rows == count;
            for (int row = 0; row < rows; row++) {
                int follower = from + row + 1;
                network.embedding()
                        .read(follower < count ? tokens[follower] : next, embeddings, row * network.hidden());
            }
            session.run(
                    length + from,
                    embeddings,
                    features,
                    from * network.featureWidth(),
                    rows,
                    last ? steps : 0,
                    topK,
                    nodes,
                    scoring,
                    round);
            store(cache, length + from, rows);
        }
    }

    private void store(KvCache cache, int slot, int rows) {
        int width = network.attention().kvWidth();
        for (int row = 0; row < rows; row++) {
            cache.put(0, slot + row, round.entries(), row * 2 * width, row * 2 * width + width);
        }
    }

    @Override
    public void close() {
        session.close();
    }
}
