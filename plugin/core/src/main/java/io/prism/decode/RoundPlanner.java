package io.prism.decode;

import io.prism.config.TreeSpec;
import io.prism.tree.AcceptanceModel;
import io.prism.tree.CostModel;
import io.prism.tree.DraftBudget;
import io.prism.tree.ProposalFollower;
import io.prism.tree.TokenTree;
import io.prism.tree.TreeSizer;
import org.jspecify.annotations.Nullable;

/**
 * Decides for one session, round by round, whether to draft, how much, and how much of it to verify. Not thread-safe.
 *
 * <p>With a fixed tree the answer is always the same. Otherwise speculation must pay, and three things hold it to that:
 *
 * <ul>
 *   <li>a tree is verified only if {@link TreeSizer} expects it to save time;
 *   <li>a drafter is asked only while what its proposals save on average exceeds what they cost; if not, as rarely as
 *       keeps its cost within {@value #PROBE_SHARE} of the time, to notice when that changes. What becomes of a
 *       proposal is seen without verifying it ({@link ProposalFollower});
 *   <li>what rounds really saved is added up, and a tree is cut down to what could be lost without making the sum a loss
 *       of more than {@value #LOSS_SHARE} of the time so far and {@value #LOSS_PASSES} plain passes, so that wrong
 *       estimates cost little.
 * </ul>
 */
final class RoundPlanner {
    /** Share of the time that drafting may cost while it is not known to pay. */
    static final double PROBE_SHARE = 0.01;

    /** Share of the time that speculation may have lost in all. */
    static final double LOSS_SHARE = 0.015;

    /** Plain passes that speculation may have lost besides. */
    static final double LOSS_PASSES = 1;

    /** Plain passes a good spell is remembered for, so that a bad one is noticed soon after. */
    private static final double MOST_CREDIT_PASSES = 16;

    /** Share of a new observation in running means of costs and savings. */
    private static final double MEAN_STEP = 0.05;

    /** A pass this much slower than expected counts no more: the machine paused. */
    private static final double MOST_OUTLIER = 2;

    /** Deepest draft asked for when the size is free. */
    static final int AUTO_STEPS = 16;

    private static final int AUTO_TOP_K = 4;
    private static final int AUTO_NODES = 63;

    private final CostModel cost;
    private final AcceptanceModel acceptance;
    private final TreeSizer sizer;
    private final ProposalFollower follower;
    private final TreeSpec spec;
    private final boolean trees;
    private @Nullable DraftBudget lastBudget;

    private double elapsed;
    private double balance;
    private double probeCredit;
    private double meanSaving;
    private double meanDraft;
    private double meanDraftPerStep;
    private long drafts;

    /** Whether this round's drafting is paid for by {@link #probeCredit}. */
    private boolean probing;

    private boolean verifying;

    /** @param trees whether the target verifies trees */
    RoundPlanner(CostModel cost, AcceptanceModel acceptance, TreeSpec spec, boolean trees) {
        this.cost = cost;
        this.acceptance = acceptance;
        this.sizer = new TreeSizer(cost, acceptance);
        this.follower = new ProposalFollower(acceptance);
        this.spec = spec;
        this.trees = trees;
    }

    /**
     * What to ask the drafter for.
     *
     * @param maxSteps the deepest tree of use in this round
     * @param maxRows the most rows of this round's pass
     * @return null for a plain round
     */
    @Nullable
    DraftBudget budget(int maxSteps, int maxRows) {
        int rows = Math.min(maxRows, cost.maxRows());
        if (maxSteps < 1 || rows < 2) {
            return null;
        }
        if (!spec.isAuto()) {
            DraftBudget fixed = spec.fixed().orElseThrow();
            return budget(
                    Math.min(fixed.steps(), maxSteps), trees ? fixed.topK() : 1, Math.min(fixed.nodes(), rows - 1));
        }
        if (!cost.isKnown() || !mayDraft()) {
            return null;
        }
        double plain = cost.nanos(1);
        int steps = 1;
        while (steps < Math.min(maxSteps, AUTO_STEPS) && acceptance.reach(steps + 1) * plain >= meanDraftPerStep) {
            steps++;
        }
        // A pass can give steps + 1 tokens at most.
        while (rows > 1 && cost.nanos(rows) > (steps + 1) * plain) {
            rows--;
        }
        int nodes = Math.min(rows - 1, trees ? AUTO_NODES : steps);
        return nodes < 1 ? null : budget(steps, trees ? AUTO_TOP_K : 1, nodes);
    }

    private boolean mayDraft() {
        probing = false;
        if ((drafts == 0 || meanSaving > meanDraft) && affordableRows(2) == 2) {
            return true;
        }
        probing = true;
        if (follower.isActive() || probeCredit < meanDraft) {
            return false;
        }
        probeCredit -= meanDraft;
        return true;
    }

    private DraftBudget budget(int steps, int topK, int nodes) {
        DraftBudget last = lastBudget;
        if (last == null || last.steps() != steps || last.topK() != topK || last.nodes() != nodes) {
            last = new DraftBudget(steps, topK, nodes);
            lastBudget = last;
        }
        return last;
    }

    /**
     * Chooses what to verify of a proposal.
     *
     * @param chosen receives the tree; only the root for a plain round
     */
    void choose(TokenTree proposal, int maxRows, TokenTree chosen) {
        follower.begin(proposal);
        if (!spec.isAuto()) {
            sizer.takeAll(proposal, trees, maxRows, chosen);
            verifying = chosen.size() > 1;
            return;
        }
        double saving = sizer.choose(proposal, trees, maxRows, chosen);
        meanSaving += meanStep() * (saving - meanSaving);
        int affordable = affordableRows(chosen.size());
        if (affordable < chosen.size()) {
            sizer.choose(proposal, trees, affordable, chosen);
        }
        verifying = chosen.size() > 1;
    }

    /** The most rows, up to a number, whose pass would not lose too much even if nothing was accepted. */
    private int affordableRows(int most) {
        double plain = cost.nanos(1);
        double affordable = balance + LOSS_SHARE * elapsed + LOSS_PASSES * plain;
        int rows = most;
        while (rows > 1 && cost.nanos(rows) - plain > affordable) {
            rows--;
        }
        return rows;
    }

    /** The target chose a token, an end token included. */
    void token(int token) {
        follower.token(token);
    }

    /** Tokens were forgotten. */
    void truncated() {
        follower.forget();
    }

    /**
     * A round is over.
     *
     * @param budget what the drafter was asked for; null if it was not
     * @param rows rows of the pass
     * @param tokens tokens it gave
     */
    void finished(@Nullable DraftBudget budget, int rows, int tokens, long draft, long verify, long other) {
        double expected = cost.isKnown() ? cost.nanos(rows) : verify;
        double pass = Math.min((double) verify, MOST_OUTLIER * expected);
        elapsed += draft + pass + other;
        cost.observe(rows, verify);
        if (!cost.isKnown()) {
            return;
        }
        double plain = cost.nanos(1);
        if (budget != null) {
            meanDraft += meanStep() * (draft - meanDraft);
            meanDraftPerStep += meanStep() * ((double) draft / budget.steps() - meanDraftPerStep);
            drafts++;
        }
        probeCredit = Math.min(probeCredit + PROBE_SHARE * plain, Math.max(meanDraft, plain));
        if (verifying) {
            balance += tokens * plain - draft - pass - other;
        } else if (!probing) {
            balance -= draft;
        }
        balance = Math.min(balance, MOST_CREDIT_PASSES * plain);
        verifying = false;
    }

    /** The first observations count as a plain mean. */
    private double meanStep() {
        return Math.max(MEAN_STEP, 1.0 / (drafts + 1));
    }
}
