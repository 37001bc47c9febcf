package io.prism.decode;

import io.prism.spi.DraftRequest;
import io.prism.spi.DraftSession;
import io.prism.spi.Drafter;
import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import io.prism.spi.TokenDraw;
import io.prism.tree.DraftBudget;
import io.prism.tree.TokenTree;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A drafter's session behind a guard: whatever it does costs speed only. Not thread-safe.
 *
 * <p>Exceptions and errors are caught, proposals checked. A drafter that {@linkplain Drafter#returnsPromptly() returns
 * promptly} runs on the caller's thread, where a call that took too long counts as a failure; any other runs on a {@link
 * CompanionThread} and is given up, thread and all, when a call does not return in time. The session is switched off
 * when it can't be trusted to know the history any more (a failure other than in proposing, a call given up) or after
 * {@value #MOST_FAILURES} failed proposals in a row. Each cause is logged once.
 */
final class GuardedDrafter implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(GuardedDrafter.class);

    /** Failed proposals in a row until the session is switched off. */
    static final int MOST_FAILURES = 3;

    private static final int ROWS_PER_TIMEOUT = 64;

    private enum Kind {
        ACCEPT,
        TRUNCATE,
        OPEN,
        PROPOSE
    }

    private final Drafter drafter;
    private final String name;
    private final int vocabulary;
    private final boolean inline;
    private final boolean together;
    private final long timeoutNanos;
    private final DeferredOutput deferred;
    private final TokenTree proposal = new TokenTree(0);
    private final Call call = new Call();
    private final Set<FallbackCause> logged = EnumSet.noneOf(FallbackCause.class);
    private @Nullable CompanionThread companion;
    private boolean off;
    private int failuresInARow;
    private int length;
    private long catchUpNanos;

    /**
     * @param states what {@code drafter} wants to see
     * @param hiddenSize elements of a hidden state
     * @param vocabulary tokens a proposal may hold are below this
     * @param timeoutNanos the longest a call may take; calls about many tokens may take as much for each {@value
     *     #ROWS_PER_TIMEOUT}
     */
    GuardedDrafter(Drafter drafter, HiddenStateRequest states, int hiddenSize, int vocabulary, long timeoutNanos) {
        this.drafter = drafter;
        this.vocabulary = vocabulary;
        this.timeoutNanos = timeoutNanos;
        this.deferred = new DeferredOutput(states, hiddenSize);
        this.name = nameOf(drafter);
        this.inline = returnsPromptly(drafter);
        this.together = inline && proposesTogether(drafter);
    }

    private static String nameOf(Drafter drafter) {
        try {
            return drafter.name();
        } catch (Throwable t) { // a drafter's failure costs speed only
            LOG.warn("A drafter failed to say its name", t);
            return drafter.getClass().getName();
        }
    }

    private static boolean returnsPromptly(Drafter drafter) {
        try {
            return drafter.returnsPromptly();
        } catch (Throwable t) { // a drafter's failure costs speed only
            LOG.warn("A drafter failed to say whether it returns promptly", t);
            return false;
        }
    }

    private static boolean proposesTogether(Drafter drafter) {
        try {
            return drafter.proposesTogether();
        } catch (Throwable t) { // a drafter's failure costs speed only
            LOG.warn("A drafter failed to say whether it proposes together", t);
            return false;
        }
    }

    boolean isOff() {
        return off;
    }

    /** Whether proposals of several sessions are best made together: see {@link Drafter#proposeTogether}. */
    boolean proposesTogether() {
        return together;
    }

    /** Number of committed tokens it was told of, or will be before its next proposal. */
    int length() {
        return length;
    }

    /**
     * Tokens were committed.
     *
     * @param later whether it may be told together with later ones
     */
    void accept(int[] tokens, int[] rows, int count, PassOutput output, boolean later) {
        if (off) {
            return;
        }
        length += count;
        if (!later || !deferred.fits(count)) {
            flush();
        }
        if (later && deferred.fits(count)) {
            deferred.add(tokens, rows, count, output);
        } else {
            tell(tokens, rows, count, output);
        }
    }

    private void flush() {
        if (deferred.rows() > 0) {
            long begin = System.nanoTime();
            tell(deferred.tokens(), deferred.rowNumbers(), deferred.rows(), deferred);
            deferred.truncate(0);
            catchUpNanos += System.nanoTime() - begin;
        }
    }

    /** Time spent since the last call of this in telling the drafter of tokens it could be told of later. */
    long takeCatchUpNanos() {
        long taken = catchUpNanos;
        catchUpNanos = 0;
        return taken;
    }

    private void tell(int[] tokens, int[] rows, int count, PassOutput output) {
        call.kind = Kind.ACCEPT;
        call.tokens = tokens;
        call.rows = rows;
        call.count = count;
        call.output = output;
        failUnless(perform(timeoutNanos * (1 + count / ROWS_PER_TIMEOUT)));
    }

    /** How the target draws tokens from now on; null if it takes the most probable one. */
    void drawBy(@Nullable TokenDraw draw) {
        call.draw = draw;
    }

    /** Committed tokens from {@code newLength} on were forgotten. */
    void truncate(int newLength) {
        if (off || newLength >= length) {
            return;
        }
        int told = length - deferred.rows();
        length = newLength;
        if (newLength >= told) {
            deferred.truncate(newLength - told);
            return;
        }
        deferred.truncate(0);
        call.kind = Kind.TRUNCATE;
        call.count = newLength;
        failUnless(perform(timeoutNanos));
    }

    /**
     * Asks for a proposal.
     *
     * @param root the last sampled token
     * @return the proposal, valid until the next call; null if there is none because of a failure, which was counted
     */
    @Nullable
    TokenTree propose(int root, DraftBudget budget, StatisticsCollector statistics) {
        if (!begin(root, budget, statistics)) {
            return null;
        }
        call.kind = Kind.PROPOSE;
        return result(perform(timeoutNanos), root, budget, statistics);
    }

    /**
     * Readies the session for a proposal that is made together with those of others; {@link #proposed} takes it up.
     *
     * @return null if there can be none because of a failure, which was counted
     */
    @Nullable
    DraftRequest request(int root, DraftBudget budget, StatisticsCollector statistics) {
        if (!begin(root, budget, statistics)) {
            return null;
        }
        call.kind = Kind.OPEN;
        FallbackCause cause = perform(timeoutNanos);
        if (cause != null) {
            result(cause, root, budget, statistics);
            return null;
        }
        return new DraftRequest(Objects.requireNonNull(call.session), proposal, budget);
    }

    /** The proposal that was made for {@link #request}; null if it is none, which was counted as a failure. */
    @Nullable
    TokenTree proposed(int root, DraftBudget budget, StatisticsCollector statistics) {
        call.fellBack |= Objects.requireNonNull(call.session).fellBack();
        return result(null, root, budget, statistics);
    }

    /** What makes proposals. */
    Drafter drafter() {
        return drafter;
    }

    private boolean begin(int root, DraftBudget budget, StatisticsCollector statistics) {
        if (!off) {
            flush();
        }
        if (off) {
            statistics.fallback(FallbackCause.SWITCHED_OFF);
            return false;
        }
        proposal.reset(root);
        call.budget = budget;
        return true;
    }

    /** The proposal that was made, if it is one. */
    private @Nullable TokenTree result(
            @Nullable FallbackCause failure, int root, DraftBudget budget, StatisticsCollector statistics) {
        FallbackCause cause = failure;
        if (call.fellBack) {
            call.fellBack = false;
            statistics.fallback(FallbackCause.ACCELERATOR);
        }
        if (cause == null) {
            String fault = fault(root, budget);
            if (fault == null) {
                failuresInARow = 0;
                return proposal;
            }
            cause = FallbackCause.INVALID_PROPOSAL;
            log(cause, "proposed " + fault, null);
        }
        statistics.fallback(cause);
        if (++failuresInARow >= MOST_FAILURES && !off) {
            switchOff();
            LOG.warn("Drafter {} failed {} times in a row and is switched off for this session", name, MOST_FAILURES);
        }
        return null;
    }

    /** What is wrong with the proposal; null if nothing. */
    private @Nullable String fault(int root, DraftBudget budget) {
        if (proposal.token(0) != root) {
            return "a tree with root " + proposal.token(0) + " instead of " + root;
        }
        if (proposal.size() - 1 > budget.nodes()) {
            return (proposal.size() - 1) + " nodes, asked for " + budget.nodes();
        }
        for (int node = 1; node < proposal.size(); node++) {
            int token = proposal.token(node);
            if (token < 0 || token >= vocabulary) {
                return "token " + token + " outside the vocabulary of " + vocabulary;
            }
            if (proposal.depth(node) > budget.steps()) {
                return "depth " + proposal.depth(node) + ", asked for " + budget.steps();
            }
            if (proposal.child(proposal.parent(node), token) != node) {
                return "token " + token + " twice after the same path";
            }
        }
        return null;
    }

    private void failUnless(@Nullable FallbackCause cause) {
        if (cause != null && !off) {
            LOG.warn("Drafter {} lost track of the history and is switched off for this session", name);
            switchOff();
        }
    }

    /** Runs {@link #call} and gives the cause of failure, or null. */
    private @Nullable FallbackCause perform(long timeout) {
        try {
            if (inline) {
                long start = System.nanoTime();
                call.run();
                long took = System.nanoTime() - start;
                if (took > timeout) {
                    log(FallbackCause.TIMEOUT, "took " + took / 1_000_000 + " ms", null);
                    return call.kind == Kind.PROPOSE ? FallbackCause.TIMEOUT : null;
                }
                return null;
            }
            CompanionThread thread = companion;
            if (thread == null) {
                thread = new CompanionThread("prism-drafter-" + name);
                companion = thread;
            }
            if (!thread.run(call, timeout)) {
                log(
                        FallbackCause.TIMEOUT,
                        "did not return within " + timeout / 1_000_000 + " ms and is given up",
                        null);
                switchOff();
                return FallbackCause.TIMEOUT;
            }
            return null;
        } catch (Throwable t) { // a drafter's failure costs speed only
            FallbackCause cause = causeOf(t);
            log(cause, "failed in " + call.kind, t);
            return cause;
        }
    }

    private static FallbackCause causeOf(Throwable t) {
        return t instanceof Error ? FallbackCause.ERROR : FallbackCause.EXCEPTION;
    }

    private void log(FallbackCause cause, String what, @Nullable Throwable thrown) {
        if (logged.add(cause)) {
            LOG.warn("Drafter {} {}; decoding goes on plainly", name, what, thrown);
        }
    }

    private void switchOff() {
        if (!off) {
            off = true;
            release();
        }
    }

    /** Closes the drafter's session on the thread that used it. */
    private void release() {
        CompanionThread thread = companion;
        if (thread != null) {
            thread.stop(call::closeSession);
        } else {
            call.closeSession();
        }
    }

    @Override
    public void close() {
        if (!off) {
            off = true;
            release();
        }
    }

    /** A call of the drafter's session; reused, so that a call allocates nothing. */
    private final class Call implements Runnable {
        private Kind kind = Kind.PROPOSE;
        private int[] tokens = new int[0];
        private int[] rows = new int[0];
        private int count;
        private @Nullable PassOutput output;
        private @Nullable DraftBudget budget;
        private @Nullable TokenDraw draw;
        private @Nullable DraftSession session;
        private boolean fellBack;

        @Override
        public void run() {
            DraftSession open = session;
            if (open == null) {
                open = drafter.openSession();
                session = open;
            }
            switch (kind) {
                case ACCEPT -> open.accept(tokens, rows, count, Objects.requireNonNull(output));
                case TRUNCATE -> open.truncate(count);
                case OPEN -> open.drawBy(draw);
                case PROPOSE -> {
                    open.drawBy(draw);
                    open.propose(proposal, Objects.requireNonNull(budget));
                    fellBack |= open.fellBack();
                }
            }
        }

        void closeSession() {
            DraftSession open = session;
            session = null;
            if (open != null) {
                try {
                    open.close();
                } catch (Throwable t) { // a drafter's failure costs speed only
                    LOG.warn("Drafter {} failed to close its session", name, t);
                }
            }
        }
    }
}
