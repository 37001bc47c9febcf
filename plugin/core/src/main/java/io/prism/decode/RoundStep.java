package io.prism.decode;

import io.prism.spi.DraftRequest;
import io.prism.spi.PassOutput;
import io.prism.spi.PassRequest;
import io.prism.spi.TargetSession;
import io.prism.tree.DraftBudget;
import io.prism.tree.TokenTree;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a request wants of the next pass it takes part in, a part of its prompt or a round, and what came of it. Reused by
 * the request, pass after pass. In the hands of one thread at a time: the request's, then the one that runs the pass, and
 * back, with a happens-before edge at each hand-over.
 */
final class RoundStep {
    private static final int[] NONE = {};

    private final TargetSession target;
    private final RoundPlanner planner;
    private final @Nullable GuardedDrafter drafter;
    private final StatisticsCollector statistics;
    private final TokenTree tree;
    private final boolean tokensOnly;

    // what is wanted
    private boolean prompt;
    private int[] tokens = NONE;
    private int from;
    private int count;
    private int maxSteps;
    private int maxRows;

    // what came of it
    private @Nullable DraftBudget budget;
    private @Nullable TokenTree proposal;
    private @Nullable PassOutput output;
    private @Nullable Throwable failure;
    private @Nullable RoundCost cost;
    private boolean draftedByGroup;
    private long begunNanos;
    private long draftNanos;
    private long passNanos;

    /**
     * @param drafter what proposes; null if the request does not speculate
     * @param tree the tree to verify, with the last sampled token as root at each round
     * @param tokensOnly whether the tokens that the target chooses are all that matters
     */
    RoundStep(
            TargetSession target,
            RoundPlanner planner,
            @Nullable GuardedDrafter drafter,
            StatisticsCollector statistics,
            TokenTree tree,
            boolean tokensOnly) {
        this.target = target;
        this.planner = planner;
        this.drafter = drafter;
        this.statistics = statistics;
        this.tree = tree;
        this.tokensOnly = tokensOnly;
    }

    boolean isTokensOnly() {
        return tokensOnly;
    }

    /** The next step is to run tokens of the prompt, from an index on; how many of them, up to {@code most}, is left open. */
    void prompt(int[] of, int index, int most) {
        clear();
        prompt = true;
        tokens = of;
        from = index;
        count = most;
    }

    /**
     * The next step is a round.
     *
     * @param mostSteps the deepest tree of use
     * @param mostRows the most rows of the tree
     */
    void round(int mostSteps, int mostRows) {
        clear();
        prompt = false;
        maxSteps = mostSteps;
        maxRows = mostRows;
    }

    private void clear() {
        budget = null;
        proposal = null;
        output = null;
        failure = null;
        cost = null;
        draftedByGroup = false;
        draftNanos = 0;
        passNanos = 0;
    }

    boolean isPrompt() {
        return prompt;
    }

    /** Rows that this step is about to put into the pass. */
    int rows() {
        return prompt ? count : tree.size();
    }

    /** Runs no more tokens of the prompt than this; has no meaning for a round. */
    void limitRows(int most) {
        count = Math.min(count, most);
    }

    GuardedDrafter drafter() {
        return Objects.requireNonNull(drafter);
    }

    /** Whether its proposal is made by the group, together with those of others. */
    boolean isDraftedByGroup() {
        return !prompt && drafter != null && drafter.proposesTogether();
    }

    /** Decides on the budget; none for a plain round. */
    void plan(int sessions) {
        budget = planner.budget(maxSteps, maxRows, sessions);
        draftedByGroup = budget != null && isDraftedByGroup();
    }

    @Nullable
    DraftBudget budget() {
        return budget;
    }

    /** Makes the proposal. */
    void propose() {
        proposal = drafter().propose(tree.token(0), Objects.requireNonNull(budget), statistics);
    }

    @Nullable
    DraftRequest requestProposal() {
        return drafter().request(tree.token(0), Objects.requireNonNull(budget), statistics);
    }

    void takeProposal() {
        proposal = drafter().proposed(tree.token(0), Objects.requireNonNull(budget), statistics);
    }

    /** Puts the proposal up for choice, if there is one. */
    void offer(JointSizing sizing) {
        TokenTree proposed = proposal;
        if (proposed != null) {
            planner.consider(proposed);
            sizing.add(planner, maxRows, tree);
        }
    }

    PassRequest request() {
        return prompt ? new PassRequest.Prefill(target, tokens, from, count) : new PassRequest.Verify(target, tree);
    }

    void begun(long now) {
        begunNanos = now;
    }

    void succeeded(PassOutput result) {
        output = result;
    }

    void failed(Throwable reason) {
        failure = reason;
    }

    boolean hasFailed() {
        return failure != null;
    }

    /** The pass took this long. */
    void took(long draft, long pass) {
        draftNanos = draftedByGroup ? draft : 0;
        passNanos = pass;
    }

    void charge(RoundCost shared) {
        cost = shared;
    }

    /** Whether there is a budget, and the group makes the proposal for it. */
    boolean isDrafted() {
        return draftedByGroup;
    }

    /** What the pass gave; throws what it failed with. */
    PassOutput output() {
        Throwable thrown = failure;
        if (thrown != null) {
            rethrow(thrown);
        }
        return Objects.requireNonNull(output);
    }

    /** What the round cost all who shared it. */
    RoundCost cost() {
        return Objects.requireNonNull(cost);
    }

    /** When the group began with it. */
    long begunNanos() {
        return begunNanos;
    }

    /** Time in which proposals of the group were made, if one of them is its own. */
    long draftNanos() {
        return draftNanos;
    }

    long passNanos() {
        return passNanos;
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> void rethrow(Throwable e) throws E {
        throw (E) e;
    }
}
