package io.prism.drafter.standalone;

import io.prism.drafter.beam.BeamSearch;
import io.prism.drafter.beam.DraftModel;
import io.prism.kernels.Kernels;
import io.prism.spi.DraftSession;
import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import io.prism.spi.PassRequest;
import io.prism.spi.TargetModel;
import io.prism.spi.TargetSession;
import io.prism.spi.TokenDraw;
import io.prism.tree.DraftBudget;
import io.prism.tree.TokenTree;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A small model's side of a conversation.
 *
 * <p>A chain is drafted by committing its tokens one after the other; what turns out right stays. A tree is drafted with
 * the small model's own tree passes: each level is a pass over the tree so far, and the accepted path is committed from
 * the last of them.
 */
final class StandaloneSession implements DraftSession, DraftModel {
    private static final int MOST_WAITING = 256;

    private final TargetModel model;
    private final TargetSession session;
    private final BeamSearch search;
    private final int vocabulary;

    /** Tokens the target committed that the small model has not seen. */
    private int[] waiting = new int[16];

    private int waitingCount;

    /** Tokens the small model has committed ahead of the target. */
    private int[] ahead = new int[16];

    private int aheadCount;

    /** The tree of the small model's last pass, its nodes not committed. */
    private final TokenTree drafted = new TokenTree(0);

    private boolean draftedIsOpen;
    private @Nullable TokenDraw draw;
    private boolean chain;
    private int root;
    private int[] nodeOf = new int[64];
    private int[] path = new int[16];

    private @Nullable PassRequest pass;
    private boolean first;
    private @Nullable PassOutput output;
    private int[] rows = new int[16];

    StandaloneSession(TargetModel model, Kernels kernels) {
        this.model = model;
        this.vocabulary = model.description().vocabularySize();
        this.session = model.openSession(HiddenStateRequest.NONE);
        this.search = new BeamSearch(kernels);
    }

    @Override
    public void accept(int[] tokens, int[] acceptedRows, int count, PassOutput targetOutput) {
        int known = draftedIsOpen ? commitDrafted(tokens, count) : keepAhead(tokens, count);
        for (int i = known; i < count; i++) {
            if (waitingCount == MOST_WAITING) {
                catchUp();
            }
            waiting = grown(waiting, waitingCount + 1);
            waiting[waitingCount++] = tokens[i];
        }
    }

    /** Commits the path of the drafted tree that is the accepted text; gives its length. */
    private int commitDrafted(int[] tokens, int count) {
        draftedIsOpen = false;
        if (count == 0 || tokens[0] != drafted.token(0)) {
            return 0;
        }
        path = grown(path, count);
        path[0] = 0;
        int known = 1;
        while (known < count) {
            int child = drafted.child(path[known - 1], tokens[known]);
            if (child < 0) {
                break;
            }
            path[known++] = child;
        }
        session.commit(path, known);
        return known;
    }

    /** Keeps of the tokens committed ahead what is the accepted text; gives its length. */
    private int keepAhead(int[] tokens, int count) {
        int known = 0;
        while (known < Math.min(count, aheadCount) && tokens[known] == ahead[known]) {
            known++;
        }
        session.truncate(session.length() - (aheadCount - known));
        aheadCount = 0;
        return known;
    }

    private void dropDrafts() {
        draftedIsOpen = false;
        if (aheadCount > 0) {
            session.truncate(session.length() - aheadCount);
            aheadCount = 0;
        }
    }

    @Override
    public void truncate(int length) {
        dropDrafts();
        if (length >= session.length()) {
            waitingCount = Math.min(waitingCount, length - session.length());
        } else {
            waitingCount = 0;
            session.truncate(length);
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
                ran(pass().runAlone());
            } while (advance(tree));
        }
    }

    /** Begins a proposal: prepares its first pass, unless there is no room for any. */
    boolean begin(TokenTree tree, DraftBudget budget) {
        dropDrafts();
        int length = session.length() + waitingCount;
        int room = session.capacity() - length - 1;
        chain = budget.topK() == 1 || !model.verifiesTrees();
        if (room < 0) {
            return false;
        }
        DraftBudget possible = chain && budget.topK() > 1
                ? new DraftBudget(budget.steps(), 1, budget.nodes(), budget.leastLogProbability())
                : budget;
        search.begin(this, tree, possible, 1 + room, draw, length);
        return true;
    }

    /** Goes on after a pass: prepares the next one, or completes the tree and gives false. */
    boolean advance(TokenTree tree) {
        return search.advance(this, tree);
    }

    private void catchUp() {
        if (waitingCount > 0 && session.length() + waitingCount <= session.capacity()) {
            session.prefill(waiting, 0, waitingCount);
            waitingCount = 0;
        }
    }

    @Override
    public int draftVocabularySize() {
        return vocabulary;
    }

    @Override
    public int @Nullable [] targetIds() {
        return null;
    }

    @Override
    public float[] logits() {
        return output().logits();
    }

    @Override
    public int logitsOffset(int row) {
        return output().logitsOffset(rows[row]);
    }

    private PassOutput output() {
        PassOutput last = output;
        if (last == null) {
            throw new IllegalStateException("Nothing was run yet");
        }
        return last;
    }

    @Override
    public void prepareFirst(int newRoot) {
        root = newRoot;
        first = true;
        waiting = grown(waiting, waitingCount + 1);
        waiting[waitingCount] = newRoot;
        rows[0] = waitingCount;
        pass = new PassRequest.Prefill(session, waiting, 0, waitingCount + 1);
    }

    /** The pass that was prepared; {@link #ran} must follow. */
    PassRequest pass() {
        return Objects.requireNonNull(pass, "No pass was prepared");
    }

    /** The pass has been run. */
    void ran(PassOutput result) {
        output = result;
        if (first) {
            first = false;
            waitingCount = 0;
            ahead[0] = root;
            aheadCount = 1;
        } else if (chain) {
            aheadCount++;
        } else {
            draftedIsOpen = true;
        }
    }

    @Override
    public void prepareStep(int step, BeamSearch candidates, int[] beam, int count) {
        if (chain) {
            ahead = grown(ahead, aheadCount + 1);
            ahead[aheadCount] = candidates.token(beam[0]);
            pass = new PassRequest.Prefill(session, ahead, aheadCount, 1);
            rows[0] = 0;
            return;
        }
        if (step == 1) {
            // the root goes back: a tree pass begins with it
            dropDrafts();
            drafted.reset(root);
        }
        rows = grown(rows, count);
        for (int i = 0; i < count; i++) {
            int candidate = beam[i];
            int parent = candidates.parent(candidate);
            nodeOf = grown(nodeOf, candidate + 1);
            nodeOf[candidate] = drafted.add(parent < 0 ? 0 : nodeOf[parent], candidates.token(candidate), 0);
            rows[i] = nodeOf[candidate];
        }
        draftedIsOpen = false;
        pass = new PassRequest.Verify(session, drafted);
    }

    @Override
    public int remainingRows() {
        if (chain) {
            return Integer.MAX_VALUE;
        }
        int most = Math.min(model.maxTreeRows(), session.capacity() - (session.length() - aheadCount));
        return most - (draftedIsOpen ? drafted.size() : 1);
    }

    private static int[] grown(int[] array, int length) {
        return length <= array.length ? array : Arrays.copyOf(array, Math.max(length, 2 * array.length));
    }

    @Override
    public void close() {
        session.close();
    }
}
