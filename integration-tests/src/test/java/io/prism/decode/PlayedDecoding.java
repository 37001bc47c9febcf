package io.prism.decode;

import io.prism.config.TreeSpec;
import io.prism.spi.DraftSession;
import io.prism.spi.Drafter;
import io.prism.spi.HostedModel;
import io.prism.spi.PassOutput;
import io.prism.spi.TargetSession;
import io.prism.tree.CostModel;
import io.prism.tree.DraftBudget;
import io.prism.tree.TokenTree;
import io.prism.verify.GreedyVerifier;
import io.prism.verify.SamplingParameters;
import io.prism.verify.SamplingVerifier;
import io.prism.verify.Verdict;
import io.prism.verify.Verifier;
import java.util.Arrays;

/**
 * Decodes with a real model and a real drafter, by a clock of its own: passes and draft steps take what {@link Costs} says.
 * So the sizing of trees meets real text and real acceptance at the costs of another model on another machine, always with
 * the same result.
 */
final class PlayedDecoding {
    private static final int MAX_ROWS = 256;

    /** Rows of a draft step after the first: the beam's width where nothing cuts it down. */
    private static final int BEAM = 4;

    /**
     * A machine and a model: a pass of n rows takes the time of its memory, of its arithmetic, or, where they are near each
     * other, somewhat more than either.
     *
     * @param memory milliseconds in which a target's weights are read
     * @param row milliseconds in which a row is computed
     * @param draftMemory the same for a draft step
     * @param draftRow the same for a draft step
     */
    record Costs(double memory, double row, double draftMemory, double draftRow) {
        private static final double SHARPNESS = 4;

        double pass(int rows) {
            return millis(memory, row * rows);
        }

        double draft(int steps) {
            return millis(draftMemory, draftRow) + (steps - 1) * millis(draftMemory, BEAM * draftRow);
        }

        private static double millis(double reading, double computing) {
            return Math.pow(Math.pow(reading, SHARPNESS) + Math.pow(computing, SHARPNESS), 1 / SHARPNESS);
        }
    }

    private final HostedModel model;
    private final Drafter drafter;
    private final Costs costs;
    private final TreeSpec spec;
    private final float temperature;
    private final int maxTokens;
    private final CostModel cost = new CostModel(MAX_ROWS);
    private final Learned learned = Learned.nothing(RoundPlanner.AUTO_STEPS);
    private Experience experience = Experience.NONE;
    /** {@link #costs}, but while others take a share of the machine. */
    private Costs now;

    private double plainMillis;
    private double millis;
    private double draftMillis;
    private int tokens;
    private int rounds;

    PlayedDecoding(HostedModel model, Drafter drafter, Costs costs, TreeSpec spec, float temperature, int maxTokens) {
        this.model = model;
        this.drafter = drafter;
        this.costs = costs;
        this.now = costs;
        this.spec = spec;
        this.temperature = temperature;
        this.maxTokens = maxTokens;
        calibrate();
    }

    private void calibrate() {
        for (int rows : cost.knots()) {
            cost.calibrate(rows, new long[] {nanos(now.pass(rows))});
        }
    }

    /** Others take a share of the machine until {@link #recover}, measurements at start-up included. */
    void beginSlow(Costs slow) {
        now = slow;
        calibrate();
    }

    /** The machine is its own again. */
    void recover() {
        now = costs;
    }

    /** What was decoded until now does not count. */
    void forgetTimes() {
        plainMillis = 0;
        millis = 0;
        draftMillis = 0;
        tokens = 0;
        rounds = 0;
    }

    private static long nanos(double millis) {
        return (long) (millis * 1e6);
    }

    /** Answers a prompt. */
    void answer(int[] prompt, long seed) {
        RoundPlanner planner = new RoundPlanner(cost, learned, spec, true);
        planner.begin(experience);
        try (TargetSession target = model.target().openSession(drafter.hiddenStates());
                DraftSession session = drafter.openSession()) {
            PassOutput output = target.prefill(prompt, 0, prompt.length);
            int[] rows = new int[prompt.length];
            Arrays.setAll(rows, row -> row);
            session.accept(prompt, rows, prompt.length, output);
            Verifier verifier = verifier(seed);
            session.drawBy(verifier instanceof SamplingVerifier sampling ? sampling.draft() : null);
            int token = verifier.choose(output, output.rows() - 1, prompt.length);
            int length = prompt.length + 1;
            TokenTree tree = new TokenTree(token);
            int end = Math.min(prompt.length + maxTokens, target.capacity() - 1);
            while (length < end && !model.isEndToken(token)) {
                tree.reset(token);
                DraftBudget budget = planner.budget(end - length - 1, end - length, 1);
                double draft = budget == null ? 0 : draft(planner, session, budget, tree);
                double pass = now.pass(tree.size());
                output = target.verify(tree);
                Verdict verdict = verifier.verify(tree, output, length - 1);
                int count = verdict.count();
                int[] path = Arrays.copyOf(verdict.path(), count);
                int[] accepted = Arrays.stream(path).map(tree::token).toArray();
                session.accept(accepted, path, count, output);
                target.commit(path, count);
                for (int i = 1; i < count; i++) {
                    planner.token(accepted[i]);
                }
                token = verdict.bonusToken();
                planner.token(token);
                cost.observe(tree.size(), nanos(pass));
                planner.finished(budget, cost.nanos(1), count, nanos(draft), 0, nanos(pass), 0);
                length += count;
                tokens += count;
                plainMillis += count * now.pass(1);
                rounds++;
                millis += draft + pass;
                draftMillis += draft;
            }
        }
        experience = planner.end();
    }

    private Verifier verifier(long seed) {
        int vocabulary = model.target().description().vocabularySize();
        if (temperature == 0) {
            return new GreedyVerifier(model.kernels(), vocabulary);
        }
        SamplingVerifier sampling = new SamplingVerifier(model.kernels(), vocabulary);
        sampling.begin(new SamplingParameters(temperature, 1, 0), seed);
        return sampling;
    }

    /** Drafts and chooses what is verified; gives the time it took. */
    private double draft(RoundPlanner planner, DraftSession session, DraftBudget budget, TokenTree tree) {
        TokenTree proposal = new TokenTree(tree.token(0));
        session.propose(proposal, budget);
        planner.consider(proposal);
        JointSizing sizing = new JointSizing(cost);
        sizing.begin(1, 0);
        sizing.add(planner, MAX_ROWS, tree);
        sizing.choose();
        return now.draft(planner.ranked().steps(budget));
    }

    /** How many times as fast as plain decoding. */
    double speedup() {
        return plainMillis / millis;
    }

    double acceptanceLength() {
        return (double) tokens / rounds;
    }

    double draftShare() {
        return draftMillis / millis;
    }
}
