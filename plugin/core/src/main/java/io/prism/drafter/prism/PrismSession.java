package io.prism.drafter.prism;

import io.prism.drafter.beam.BeamSearch;
import io.prism.drafter.beam.DraftModel;
import io.prism.kernels.AttentionLayout;
import io.prism.kernels.DraftEngine;
import io.prism.kernels.KvCache;
import io.prism.spi.DraftSession;
import io.prism.spi.PassOutput;
import io.prism.spi.TokenDraw;
import io.prism.tree.DraftBudget;
import io.prism.tree.TokenTree;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A draft model's side of a conversation. Rounds run on the network's accelerator, if it has one; from the first failure
 * on, that round included, on the host's kernels.
 *
 * <p>Entry i of its KV cache is made of the target's state at position i and the token at position i + 1. So the newest
 * committed position waits until the token after it is known: the root of the next proposal.
 *
 * <p>After a truncation the state of the position before the cut is gone; the round after it is drafted without, that is
 * not at all.
 */
final class PrismSession implements DraftSession, DraftModel {
    private static final Logger LOG = LoggerFactory.getLogger(PrismSession.class);

    /** Positions that may wait for the extend step, which bounds memory when a long prompt comes. */
    static final int MOST_WAITING = 256;

    /**
     * Of more waiting positions than these all but the last are run at once: a prompt's belong to the time of the prompt,
     * not of the first proposal, and passes shared with other sessions stay small.
     */
    private static final int MOST_ROWS_WITH_OUTPUT = 16;

    /** Slots for tree rows beyond the context. */
    private static final int TREE_SLOTS = 1024;

    private final DraftNetwork network;
    private final KvCache cache;
    private final DraftPass pass;
    private final BeamSearch search;
    private final AttentionLayout layout = new AttentionLayout();
    private @Nullable EngineDrafting accelerated;
    private boolean fellBack;
    private @Nullable TokenDraw draw;

    /** Positions whose entries are in the cache. */
    private int written;

    /** Positions after those, committed, waiting for the extend step. */
    private int waiting;

    private final int[] waitingTokens = new int[MOST_WAITING];
    private float[] waitingFeatures;

    /** Whether the features of position {@code written - 1} are kept, so that its entry can be made anew. */
    private boolean lastKept;

    private int lastToken;
    private final float[] lastFeatures;

    private int step;
    private final int[] lastRow = new int[1];

    /** Where the outputs of the last pass are, from which row on. */
    private DraftPass ran;

    private int firstOutput;
    private float[] parentOutputs = {};
    private int treeRows;
    private int[] rowOf = new int[64];
    private int[] slotOf = new int[64];
    private int[] path = new int[16];

    PrismSession(DraftNetwork network) {
        this.network = network;
        this.cache = new KvCache(
                1,
                network.attention().kvHeads(),
                network.attention().headSize(),
                network.rotary().positions() + TREE_SLOTS);
        this.pass = new DraftPass(network);
        this.ran = pass;
        this.search = new BeamSearch(network.kernels());
        this.waitingFeatures = new float[16 * network.featureWidth()];
        this.lastFeatures = new float[network.featureWidth()];
        DraftEngine engine = network.engine();
        if (engine != null) {
            try {
                accelerated = new EngineDrafting(network, engine);
            } catch (IllegalStateException e) {
                fallBack(e);
            }
        }
    }

    /** Goes on without the accelerator. */
    private void fallBack(IllegalStateException cause) {
        LOG.warn("Drafting goes on with {}: {}", network.kernels().description(), cause.getMessage());
        fellBack = true;
        EngineDrafting failed = accelerated;
        accelerated = null;
        if (failed != null) {
            failed.close();
        }
    }

    /** Committed tokens it was told of. */
    private int length() {
        return written + waiting;
    }

    @Override
    public void accept(int[] tokens, int[] rows, int count, PassOutput output) {
        for (int i = 0; i < count; i++) {
            if (waiting == MOST_WAITING) {
                extendFirst(waiting, tokens[i]);
            }
            waitingTokens[waiting] = tokens[i];
            copyFeatures(output, rows[i], waiting);
            waiting++;
        }
        if (waiting > MOST_ROWS_WITH_OUTPUT) {
            extendFirst(waiting - 1, waitingTokens[waiting - 1]);
        }
        lastKept &= waiting == 0;
    }

    private void copyFeatures(PassOutput output, int row, int index) {
        int width = network.featureWidth();
        if (waitingFeatures.length < (index + 1) * width) {
            int positions = Math.min(MOST_WAITING, 2 * (index + 1));
            waitingFeatures = Arrays.copyOf(waitingFeatures, positions * width);
        }
        int hidden = network.hidden();
        if (network.features() == null) {
            System.arraycopy(output.hiddenStates(), row * hidden, waitingFeatures, index * width, hidden);
            return;
        }
        for (int layer = 0; layer < width / hidden; layer++) {
            System.arraycopy(
                    output.layerStates(layer), row * hidden, waitingFeatures, index * width + layer * hidden, hidden);
        }
    }

    /**
     * Writes the cache entries of the first waiting positions, without asking what they give.
     *
     * @param next the token after the last of them
     */
    private void extendFirst(int count, int next) {
        if (accelerated != null) {
            try {
                accelerated.extend(cache, written, waitingTokens, count, next, waitingFeatures);
                extended(count);
                return;
            } catch (IllegalStateException e) {
                fallBack(e);
            }
        }
        extend(count, next);
    }

    /** The same in a pass of its own on the target's kernels. */
    private void extend(int count, int next) {
        prepareExtend(count, next);
        pass.projectFeatures(count);
        pass.run(network.module(0), layout, lastRow, 0);
        extended(count);
    }

    /** Prepares the pass that writes the cache entries of the first waiting positions. */
    private void prepareExtend(int count, int next) {
        int width = network.featureWidth();
        pass.reserve(count);
        for (int row = 0; row < count; row++) {
            pass.setToken(row, row + 1 < waiting ? waitingTokens[row + 1] : next);
        }
        float[] states = network.features() == null ? pass.hiddens() : pass.features();
        System.arraycopy(waitingFeatures, 0, states, 0, count * width);
        cache.ensure(written + count);
        layout.clear();
        layout.addSequence(cache, written, count);
        lastRow[0] = count - 1;
    }

    /** The first {@code count} waiting positions have their entries. */
    private void extended(int count) {
        int width = network.featureWidth();
        System.arraycopy(waitingFeatures, (count - 1) * width, lastFeatures, 0, width);
        lastToken = waitingTokens[count - 1];
        lastKept = true;
        written += count;
        waiting -= count;
        System.arraycopy(waitingTokens, count, waitingTokens, 0, waiting);
        System.arraycopy(waitingFeatures, count * width, waitingFeatures, 0, waiting * width);
    }

    @Override
    public void truncate(int length) {
        if (length >= length()) {
            return;
        }
        if (length > written) {
            waiting = length - written;
        } else {
            lastKept &= length == written;
            waiting = 0;
            written = length;
        }
    }

    @Override
    public void drawBy(@Nullable TokenDraw newDraw) {
        draw = newDraw;
    }

    @Override
    public void propose(TokenTree tree, DraftBudget budget) {
        if (begin(tree, budget)) {
            do {
                if (step == 0) {
                    pass.projectFeatures(layout.rows());
                }
                pass.run(network.module(step), layout, lastRow, outputs());
                pass.head(outputs());
                ran(pass, 0);
            } while (advance(tree));
        }
    }

    /** Begins a proposal: prepares its first pass, unless there can be none or the accelerator has made all of it. */
    boolean begin(TokenTree tree, DraftBudget budget) {
        if (waiting == 0 && lastKept) {
            // proposing once more after the same text: the last entry is made again, with this root
            written--;
            waiting = 1;
            waitingTokens[0] = lastToken;
            System.arraycopy(lastFeatures, 0, waitingFeatures, 0, lastFeatures.length);
        }
        int positions = network.rotary().positions() - length();
        if (waiting == 0 || positions < 0 || draftAccelerated(tree, budget, 1 + positions)) {
            return false;
        }
        search.begin(this, tree, budget, 1 + positions, draw, length());
        return true;
    }

    /** Makes the whole proposal on the accelerator, if there is one and it does not fail. */
    private boolean draftAccelerated(TokenTree tree, DraftBudget budget, int mostSteps) {
        if (accelerated == null) {
            return false;
        }
        try {
            accelerated.propose(cache, written, waitingTokens, waiting, waitingFeatures, tree, budget, mostSteps, draw);
            extended(waiting);
            return true;
        } catch (IllegalStateException e) {
            fallBack(e);
            return false;
        }
    }

    /** Goes on after a pass: prepares the next one, or completes the tree and gives false. */
    boolean advance(TokenTree tree) {
        return search.advance(this, tree);
    }

    /** The draft step, counted from 0, whose pass is prepared. */
    int step() {
        return step;
    }

    /** Rows of the pass prepared, and what they see. */
    AttentionLayout layout() {
        return layout;
    }

    /** Rows of the pass prepared that get an output: all, or the last. */
    int outputs() {
        return step == 0 ? 1 : layout.rows();
    }

    /** Holds the inputs of the pass prepared. */
    DraftPass inputs() {
        return pass;
    }

    /**
     * The pass has been run.
     *
     * @param by holds outputs and logits until the next pass is prepared
     * @param first this session's first row of them
     */
    void ran(DraftPass by, int first) {
        ran = by;
        firstOutput = first;
        if (step == 0) {
            extended(layout.rows());
        }
    }

    @Override
    public boolean fellBack() {
        boolean asked = fellBack;
        fellBack = false;
        return asked;
    }

    @Override
    public int draftVocabularySize() {
        return network.draftVocabulary();
    }

    @Override
    public int @Nullable [] targetIds() {
        return network.head().targetIds();
    }

    @Override
    public float[] logits() {
        return ran.logits();
    }

    @Override
    public int logitsOffset(int row) {
        return (firstOutput + row) * network.draftVocabulary();
    }

    @Override
    public void prepareFirst(int root) {
        step = 0;
        treeRows = 0;
        prepareExtend(waiting, root);
    }

    @Override
    public void prepareStep(int newStep, BeamSearch candidates, int[] beam, int count) {
        int hidden = network.hidden();
        keepOutputs(outputs());
        step = newStep;
        pass.reserve(count);
        cache.ensure(written + treeRows + count);
        layout.clear();
        for (int row = 0; row < count; row++) {
            int candidate = beam[row];
            int parent = candidates.parent(candidate);
            pass.setToken(row, candidates.token(candidate));
            int parentRow = parent < 0 ? 0 : rowOf[parent];
            System.arraycopy(parentOutputs, parentRow * hidden, pass.hiddens(), row * hidden, hidden);
            addToLayout(candidates, candidate, step);
        }
        for (int row = 0; row < count; row++) {
            rowOf[beam[row]] = row;
        }
    }

    /** Gives a candidate a slot; it sees the accepted context, its ancestors and itself. */
    private void addToLayout(BeamSearch candidates, int candidate, int depth) {
        if (candidate >= slotOf.length) {
            slotOf = Arrays.copyOf(slotOf, Math.max(candidate + 1, 2 * slotOf.length));
            rowOf = Arrays.copyOf(rowOf, slotOf.length);
        }
        if (depth > path.length) {
            path = new int[2 * depth];
        }
        slotOf[candidate] = written + treeRows++;
        int ancestor = candidate;
        for (int level = depth - 1; level >= 0; level--) {
            path[level] = slotOf[ancestor];
            ancestor = candidates.parent(ancestor);
        }
        layout.addBranch(cache, written, path, depth);
    }

    private void keepOutputs(int rows) {
        int length = rows * network.hidden();
        if (parentOutputs.length < length) {
            parentOutputs = new float[length];
        }
        System.arraycopy(ran.outputs(), firstOutput * network.hidden(), parentOutputs, 0, length);
    }

    @Override
    public int remainingRows() {
        return cache.capacity() - written - treeRows;
    }

    @Override
    public void close() {
        if (accelerated != null) {
            accelerated.close();
            accelerated = null;
        }
        layout.clear();
        pass.clear();
    }
}
