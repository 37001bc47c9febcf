package io.prism.decode;

import io.prism.spi.PassOutput;
import io.prism.spi.PassRequest;
import io.prism.spi.TargetModel;
import io.prism.tree.CostModel;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Does steps of several requests in one pass: proposals, choice of the trees, the pass, and what it cost. A failure is
 * left with the step it belongs to. Reusable; not thread-safe.
 */
final class JointPass {
    private static final Logger LOG = LoggerFactory.getLogger(JointPass.class);

    private final TargetModel target;
    private final PassCosts costs;
    private final JointDrafting drafting = new JointDrafting();
    private final JointSizing tokensSizing;
    private final JointSizing sizing;
    private final List<RoundStep> rounds = new ArrayList<>();
    private final List<PassRequest> requests = new ArrayList<>();

    JointPass(TargetModel target, PassCosts costs) {
        this.target = target;
        this.costs = costs;
        this.tokensSizing = new JointSizing(costs.tokens());
        this.sizing = new JointSizing(costs.logits());
    }

    /** @param group at least one step, each of another session */
    void run(List<RoundStep> group) {
        long begin = System.nanoTime();
        rounds.clear();
        int promptRows = 0;
        boolean tokensOnly = true;
        for (RoundStep step : group) {
            step.begun(begin);
            tokensOnly &= step.isTokensOnly();
            if (step.isPrompt()) {
                promptRows += step.rows();
            } else {
                rounds.add(step);
            }
        }
        propose(tokensOnly ? tokensSizing : sizing, promptRows);
        long drafted = System.nanoTime();
        pass(group);
        account(costs.of(tokensOnly), group, promptRows, drafted - begin, System.nanoTime() - drafted);
        rounds.clear();
    }

    private void propose(JointSizing sizing, int promptRows) {
        for (RoundStep step : rounds) {
            if (step.isDraftedByGroup()) {
                step.plan(rounds.size());
            }
        }
        drafting.propose(rounds);
        sizing.begin(rounds.size(), promptRows);
        for (RoundStep step : rounds) {
            step.offer(sizing);
        }
        sizing.choose();
    }

    private void pass(List<RoundStep> group) {
        requests.clear();
        for (RoundStep step : group) {
            requests.add(step.request());
        }
        if (requests.size() == 1 || !tryTogether(group)) {
            for (int i = 0; i < requests.size(); i++) {
                try {
                    group.get(i).succeeded(requests.get(i).runAlone());
                } catch (Throwable t) { // thrown on by the request it belongs to
                    group.get(i).failed(t);
                }
            }
        }
        requests.clear();
    }

    private boolean tryTogether(List<RoundStep> group) {
        try {
            List<PassOutput> outputs = target.runTogether(requests);
            for (int i = 0; i < outputs.size(); i++) {
                group.get(i).succeeded(outputs.get(i));
            }
            return true;
        } catch (Throwable t) { // whoever caused it fails again by itself
            LOG.debug("A pass of {} sessions failed; each gets one of its own", requests.size(), t);
            return false;
        }
    }

    private void account(CostModel cost, List<RoundStep> group, int promptRows, long draftNanos, long passNanos) {
        int rows = 0;
        int drafted = 0;
        boolean failed = false;
        for (RoundStep step : rounds) {
            rows += step.rows();
            drafted += step.isDrafted() ? 1 : 0;
            failed |= step.hasFailed();
        }
        RoundCost shared = RoundCost.of(cost, rounds.size(), promptRows, rows, drafted, draftNanos, passNanos);
        for (RoundStep step : group) {
            step.took(draftNanos, passNanos);
            step.charge(shared);
        }
        if (!failed && promptRows == 0) {
            cost.observe(rows, passNanos);
        }
    }
}
