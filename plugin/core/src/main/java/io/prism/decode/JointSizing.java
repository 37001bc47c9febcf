package io.prism.decode;

import io.prism.tree.CostModel;
import io.prism.tree.RowSharing;
import io.prism.tree.TokenTree;
import java.util.ArrayList;
import java.util.List;

/**
 * Decides what is verified of the proposals of all sessions that share a round: what pays for all together, and for each
 * of them no more than its planner's books allow. Not thread-safe.
 */
final class JointSizing {
    private final CostModel cost;
    private final RowSharing sharing;
    private final List<Proposal> proposals = new ArrayList<>();
    private int sessions;
    private int otherRows;

    /** A session's proposal, which its planner has considered, and where the tree goes. */
    private record Proposal(RoundPlanner planner, int maxRows, TokenTree chosen) {}

    JointSizing(CostModel cost) {
        this.cost = cost;
        this.sharing = new RowSharing(cost);
    }

    /**
     * Begins a round.
     *
     * @param newSessions sessions that share it
     * @param newOtherRows rows of the pass that belong to no round
     */
    void begin(int newSessions, int newOtherRows) {
        sessions = newSessions;
        otherRows = newOtherRows;
        proposals.clear();
    }

    /**
     * @param planner has considered the session's proposal
     * @param maxRows the most rows of its tree, at least 1
     * @param chosen receives the tree
     */
    void add(RoundPlanner planner, int maxRows, TokenTree chosen) {
        proposals.add(new Proposal(planner, maxRows, chosen));
    }

    /** Chooses the trees of all proposals added. */
    void choose() {
        if (proposals.isEmpty()) {
            return;
        }
        if (proposals.getFirst().planner().takesAll()) {
            takeAll();
            return;
        }
        double pace = 0;
        for (Proposal proposal : proposals) {
            pace += proposal.planner().pace() / proposals.size();
        }
        sharing.begin(sessions, otherRows, pace);
        for (Proposal proposal : proposals) {
            sharing.add(proposal.planner().ranked(), proposal.maxRows());
        }
        sharing.share();
        boolean tooMuch = false;
        for (int i = 0; i < proposals.size(); i++) {
            RoundPlanner planner = proposals.get(i).planner();
            planner.expect(sharing.saving(i));
            int rows = 1 + sharing.nodes(i);
            int affordable = planner.affordableRows(rows, sessions);
            if (affordable < rows) {
                sharing.limit(i, affordable);
                tooMuch = true;
            }
        }
        if (tooMuch) {
            sharing.share();
        }
        boolean alone = sessions == 1 && otherRows == 0;
        for (int i = 0; i < proposals.size(); i++) {
            RoundPlanner planner = proposals.get(i).planner();
            int nodes = sharing.nodes(i);
            planner.take(
                    nodes == 0 && alone ? planner.nodesToLearn() : nodes,
                    proposals.get(i).chosen());
        }
    }

    private void takeAll() {
        int left = cost.maxRows() - sessions - otherRows;
        for (Proposal proposal : proposals) {
            int nodes = Math.min(
                    Math.min(proposal.maxRows() - 1, left),
                    proposal.planner().ranked().count());
            left -= nodes;
            proposal.planner().take(nodes, proposal.chosen());
        }
    }
}
