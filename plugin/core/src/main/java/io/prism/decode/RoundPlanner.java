package io.prism.decode;

import io.prism.config.TreeSpec;
import io.prism.tree.AcceptanceModel;
import io.prism.tree.CostModel;
import io.prism.tree.DraftBudget;
import io.prism.tree.Pace;
import io.prism.tree.ProposalFollower;
import io.prism.tree.StepWorth;
import io.prism.tree.TextBias;
import io.prism.tree.TokenTree;
import io.prism.tree.TreeSizer;
import java.util.function.IntToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * Decides for one session, round by round, whether to draft, how much, and how much of it to verify. Not thread-safe.
 *
 * <p>Several sessions may share the rounds of their target. All times here are then the session's own, from the beginning
 * of a round to its end: a plain round is one of all of them, and what a tree adds to the time of every session is booked
 * to the session whose tree it is. A gain by these books is a gain of tokens per time for all of them together.
 *
 * <p>With a fixed tree the answer is always the same. Otherwise speculation must pay, and three things hold it to that,
 * on the {@link Experience} of the requests before:
 *
 * <ul>
 *   <li>a tree is verified only if {@link io.prism.tree.RowSharing} expects it to save time;
 *   <li>a drafter is asked only while what its proposals save on average exceeds what they cost; if not, as rarely as
 *       keeps its cost within {@value #PROBE_SHARE} of the time, to notice when that changes. What becomes of a
 *       proposal is seen without verifying it ({@link ProposalFollower}), but for one now and then that tells what a tree
 *       costs ({@link CostModel#isStale});
 *   <li>what rounds really saved, disturbances left out, is added up, and a tree is cut down to what could be lost without
 *       making the sum a loss of more than {@value #LOSS_SHARE} of the time so far and {@value #FIRST_LOSS_PASSES} plain
 *       pass, so that wrong estimates cost little.
 * </ul>
 */
final class RoundPlanner {
    /** Share of the time that drafting may cost while it is not known to pay. */
    static final double PROBE_SHARE = 0.01;

    /** Share of the time that speculation may have lost in all. */
    static final double LOSS_SHARE = 0.015;

    /** Plain passes that speculation may lose before it has gained anything. */
    static final double FIRST_LOSS_PASSES = 1;

    /** Plain passes a good spell is remembered for, so that a bad one is noticed soon after. */
    private static final double MOST_CREDIT_PASSES = 16;

    /** Plain passes of it that the next request may lose: it may meet another text, or a slower machine. */
    private static final double CARRIED_CREDIT_PASSES = 2;

    /** Proposals of earlier requests count as no more than this many, so that this request's own soon matter. */
    private static final long MOST_DRAFTS_REMEMBERED = 4;

    /** Drafting that costs no more than this share of a plain pass may be tried anew by every request. */
    private static final double CHEAP_DRAFT = 0.1;

    /** Deepest draft asked for while it is hardly known what a step costs. */
    private static final int FIRST_STEPS = 2;

    /**
     * A tree's pass is booked as no more than this many times its price. One that takes longer was disturbed, by the machine or by
     * code that was not compiled yet, as a plain one might have been; a price that is too low rises by itself.
     */
    private static final double MOST_SLOWNESS = 1.35;

    /** A time of drafting counts as no more than this many mean ones. */
    private static final double MOST_SURPRISE = 2;

    /** Share of a new observation in running means of costs and savings. */
    private static final double MEAN_STEP = 0.05;

    /** Deepest draft asked for when the size is free. */
    static final int AUTO_STEPS = 16;

    /** Steps of drafting that cost less than this share of a plain pass are not weighed. */
    private static final double FREE_STEP = 0.002;

    private static final int AUTO_TOP_K = 4;
    private static final int AUTO_NODES = 63;

    private final CostModel cost;
    private final AcceptanceModel acceptance;
    private final StepWorth stepWorth;
    private final Pace pace;
    private final Trial trial;
    private final TextBias bias = new TextBias();
    private final TreeSizer sizer;
    private final ProposalFollower follower;
    private final TreeSpec spec;
    private final boolean trees;
    /** What the drafter was last asked for, by how many sessions, and how many steps it went. */
    private @Nullable DraftBudget asked;

    private int askedSessions = 1;
    private final IntToDoubleFunction addedByNodes = nodes -> added(1 + nodes, askedSessions);
    private int stepsRun = 1;

    /** See {@link Experience}. */
    private double allowance;

    private double probeCredit;
    private double meanSaving;
    private double meanDraft;
    private double meanDraftPerStep;
    private long drafts;

    /** Whether this round's drafting is paid for by {@link #probeCredit}. */
    private boolean probing;

    /** Nodes of this round's tree besides its root. */
    private int verifying;

    /** @param trees whether the target verifies trees */
    RoundPlanner(CostModel cost, Learned learned, TreeSpec spec, boolean trees) {
        this.cost = cost;
        this.acceptance = learned.acceptance();
        this.stepWorth = learned.stepWorth();
        this.pace = learned.pace();
        this.trial = learned.trial();
        this.sizer = new TreeSizer(acceptance, bias);
        this.follower = new ProposalFollower(acceptance, bias);
        this.spec = spec;
        this.trees = trees;
    }

    /** A request begins. Texts differ: where finding out costs little, it does not go by what others found. */
    void begin(Experience before) {
        boolean cheap = cost.isKnown() && before.draft() <= CHEAP_DRAFT * cost.nanos(1);
        follower.forget();
        bias.forget();
        meanSaving = before.saving();
        meanDraft = before.draft();
        meanDraftPerStep = before.draftPerStep();
        drafts = cheap ? 0 : Math.min(before.drafts(), MOST_DRAFTS_REMEMBERED);
        probeCredit = before.probeCredit();
        double carried = cost.isKnown() ? CARRIED_CREDIT_PASSES * cost.nanos(1) : 0;
        allowance = Math.min(cheap ? Math.max(0, before.allowance()) : before.allowance(), carried);
    }

    /** What the request leaves to the next. */
    Experience end() {
        return new Experience(meanSaving, meanDraft, meanDraftPerStep, drafts, probeCredit, allowance);
    }

    /** Whether the drafter is not going to be asked soon, so that it need not be told of tokens yet. */
    boolean isPaused() {
        return spec.isAuto() && drafts > 0 && meanSaving <= meanDraft;
    }

    /**
     * What to ask the drafter for.
     *
     * @param maxSteps the deepest tree of use in this round
     * @param maxRows the most rows of this round's tree
     * @param sessions how many sessions share the round, this one included
     * @return null for a plain round
     */
    @Nullable
    DraftBudget budget(int maxSteps, int maxRows, int sessions) {
        int rows = Math.min(maxRows, cost.maxRows() - sessions + 1);
        if (maxSteps < 1 || rows < 2) {
            return null;
        }
        if (!spec.isAuto()) {
            DraftBudget fixed = spec.fixed().orElseThrow();
            int steps = Math.min(fixed.steps(), maxSteps);
            int nodes = Math.min(fixed.nodes(), rows - 1);
            return asking(new DraftBudget(steps, trees ? fixed.topK() : 1, nodes), sessions);
        }
        boolean priceOfPlainIsOld = sessions == 1 && cost.isStale(1);
        if (!cost.isKnown() || priceOfPlainIsOld || !mayDraft(sessions)) {
            return null;
        }
        double plain = cost.nanos(sessions);
        int mostSteps = Math.min(maxSteps, trial.isFirst() ? FIRST_STEPS : AUTO_STEPS);
        int steps = 1;
        while (steps < mostSteps && acceptance.reach(steps + 1) * plain >= meanDraftPerStep) {
            steps++;
        }
        // A tree can give this many tokens more than a plain round at most.
        while (rows > 1 && added(rows, sessions) > steps * plain) {
            rows--;
        }
        int nodes = Math.min(rows - 1, trees ? AUTO_NODES : steps);
        return nodes < 1
                ? null
                : asking(new DraftBudget(steps, trees ? AUTO_TOP_K : 1, nodes, leastLogProbability(plain)), sessions);
    }

    private DraftBudget asking(DraftBudget budget, int sessions) {
        asked = budget;
        askedSessions = sessions;
        stepsRun = 1;
        return budget;
    }

    /** Below which probability of a path a further step does not pay. */
    private float leastLogProbability(double plain) {
        return meanDraftPerStep < FREE_STEP * plain
                ? Float.NEGATIVE_INFINITY
                : bias.undo(stepWorth.leastLogProbability(meanDraftPerStep / (pace() * plain)));
    }

    /** What a token takes now, as a share of what it takes in plain rounds; at most 1. */
    double pace() {
        return pace.value();
    }

    /** What a tree of this many rows would add to the time of all sessions if theirs had only one row each. */
    private double added(int rows, int sessions) {
        return sessions * (cost.nanos(Math.min(sessions + rows - 1, cost.maxRows())) - cost.nanos(sessions));
    }

    private boolean mayDraft(int sessions) {
        probing = false;
        if ((drafts == 0 || meanSaving > meanDraft) && affordableRows(2, sessions) == 2) {
            return true;
        }
        probing = true;
        if (trial.goesOn(cost.nanos(sessions))) {
            return true;
        }
        if (follower.isActive() || probeCredit < meanDraft) {
            return false;
        }
        probeCredit -= meanDraft;
        return true;
    }

    /** Takes a look at a proposal; it must stay as it is until {@link #take}. */
    void consider(TokenTree proposal) {
        follower.begin(proposal);
        sizer.rank(proposal, trees);
        DraftBudget budget = asked;
        if (budget == null || takesAll()) {
            return;
        }
        stepsRun = sizer.steps(budget);
        double plain = cost.nanos(askedSessions);
        if (meanDraftPerStep >= FREE_STEP * plain) {
            stepWorth.learn(sizer, stepsRun, pace() * plain, addedByNodes);
        }
    }

    /** The proposal last considered, with its nodes in order. */
    TreeSizer ranked() {
        return sizer;
    }

    /** Whether as much as fits is to be verified, whatever it costs. */
    boolean takesAll() {
        return !spec.isAuto();
    }

    /** What the tree that pays best is expected to save, drafting not counted; 0 if none pays. */
    void expect(double saving) {
        meanSaving += meanStep() * (saving - meanSaving);
    }

    /**
     * Cuts out of the proposal what is verified.
     *
     * @param chosen receives the tree; only the root for a plain round
     */
    void take(int nodes, TokenTree chosen) {
        sizer.take(nodes, chosen);
        verifying = nodes;
    }

    /** The most rows, up to a number, whose tree would not lose too much even if nothing was accepted. */
    int affordableRows(int most, int sessions) {
        double affordable = allowance + FIRST_LOSS_PASSES * cost.nanos(sessions);
        int rows = most;
        while (rows > 1 && added(rows, sessions) > affordable) {
            rows--;
        }
        return rows;
    }

    /**
     * How many nodes of a proposal that does not seem to pay are verified to learn what trees cost now, as none has been verified for
     * long: 1 or 0. A tree of one costs least, and larger ones that are stale too go with it.
     */
    int nodesToLearn() {
        return sizer.count() > 0 && cost.isStale(2) && affordableRows(2, 1) == 2 ? 1 : 0;
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
     * @param plain time a plain round would have taken; 0 if unknown
     * @param tokens tokens the round gave
     * @param draft time of drafting
     * @param catchUp the part of it in which the drafter was told of tokens of earlier rounds: paid for once, so no part of
     *     what a proposal costs
     * @param passTime time of the pass
     * @param other time of everything else
     */
    void finished(
            @Nullable DraftBudget budget,
            double plain,
            int tokens,
            double draft,
            double catchUp,
            double passTime,
            double other) {
        allowance += LOSS_SHARE * (draft + passTime + other);
        if (plain == 0) {
            return;
        }
        // A trial bounds its own cost. The first proposals are those of cold code, tens of times as slow as later ones.
        double booked = trial.isEarly() ? 0 : draft;
        if (budget != null) {
            double proposing = draft - catchUp;
            trial.proposed(Math.min(proposing, plain));
            meanDraft = updated(meanDraft, proposing);
            meanDraftPerStep = updated(meanDraftPerStep, proposing / stepsRun);
            drafts++;
        }
        pace.observe((draft - catchUp + passTime + other) / plain, tokens);
        probeCredit += PROBE_SHARE * plain - (probing ? catchUp : 0);
        probeCredit = Math.min(probeCredit, Math.max(meanDraft, plain));
        if (verifying > 0) {
            double price = plain + added(1 + verifying, askedSessions);
            allowance += tokens * plain - booked - Math.min(passTime, MOST_SLOWNESS * price) - other;
        } else if (!probing) {
            allowance -= booked;
        }
        allowance = Math.min(allowance, MOST_CREDIT_PASSES * plain);
        verifying = 0;
    }

    /**
     * A mean time of drafting after one more. The first proposals are those of cold code, and a proposal at which the machine
     * paused says nothing of the next: what is slow counts for little, and for nothing at first.
     */
    private double updated(double mean, double time) {
        if (mean == 0 || (time < mean && trial.isEarly())) {
            return time;
        }
        return mean + meanStep() * (Math.min(time, MOST_SURPRISE * mean) - mean);
    }

    /** The first observations count as a plain mean. */
    private double meanStep() {
        return Math.max(MEAN_STEP, 1.0 / (drafts + 1));
    }
}
