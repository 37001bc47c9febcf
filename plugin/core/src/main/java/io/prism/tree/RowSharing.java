package io.prism.tree;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Shares the rows of a pass out among the proposals of the sessions that take part in it. Reusable; not thread-safe.
 *
 * <p>Each session has one row for its root. Further rows go to the most probable nodes of all proposals, one by one. n of
 * them are expected to give (sum of their path probabilities) tokens, each of which is worth the time that decoding takes
 * for a token now, and add time to the pass; the n that saves most is chosen, which is 0 where nothing pays. That the worth
 * is that of all rounds, and not of this one, makes the most tokens per time in the long run: rounds that promise much
 * take large trees, others none. So a node competes with those of all sessions, and trees get smaller as sessions get more: their roots alone take the rows that
 * cost little. Rows that are in the pass for another reason make further ones dearer too; their own time is left out.
 */
public final class RowSharing {
    /** Trees must promise to save this share of a plain round: estimates err, and plain rounds are sure. */
    static final double LEAST_GAIN = 0.02;

    private final CostModel cost;
    private final List<TreeSizer> proposals = new ArrayList<>();
    private int sessions;
    private int baseRows;
    private double plainNanos;
    private double tokenNanos;
    private int[] mostNodes = new int[4];
    private int[] taken = new int[4];
    private int[] picks = new int[64];
    private int rows;

    public RowSharing(CostModel cost) {
        this.cost = cost;
    }

    /**
     * Begins a pass.
     *
     * @param newSessions sessions whose round it is
     * @param otherRows further rows of the pass, which are needed in any case
     * @param pace what a token takes now, as a share of what it takes in plain rounds, at most 1: see {@link Pace}
     */
    public void begin(int newSessions, int otherRows, double pace) {
        sessions = newSessions;
        baseRows = newSessions + otherRows;
        plainNanos = nanos(newSessions);
        tokenNanos = pace * plainNanos / newSessions;
        proposals.clear();
    }

    /**
     * Adds a proposal of one of the sessions.
     *
     * @param ranked the proposal
     * @param mostRows the most rows its tree may take, at least 1
     */
    public void add(TreeSizer ranked, int mostRows) {
        int index = proposals.size();
        if (index == mostNodes.length) {
            mostNodes = Arrays.copyOf(mostNodes, 2 * index);
            taken = Arrays.copyOf(taken, 2 * index);
        }
        proposals.add(ranked);
        limit(index, mostRows);
    }

    /** Sets the most rows that the tree of a proposal may take, counted from 0 in the order they were added. */
    public void limit(int index, int mostRows) {
        mostNodes[index] = Math.min(proposals.get(index).count(), mostRows - 1);
    }

    /** Shares out. */
    public void share() {
        int most = Math.max(0, cost.maxRows() - baseRows);
        if (picks.length < most) {
            picks = new int[most];
        }
        Arrays.fill(taken, 0, proposals.size(), 0);
        double expected = 0;
        double mostSaved = LEAST_GAIN * plainNanos;
        int best = 0;
        for (int count = 0; count < most; count++) {
            int next = mostProbable();
            if (next < 0) {
                break;
            }
            expected += proposals.get(next).probability(taken[next]);
            taken[next]++;
            picks[count] = next;
            double saved = expected * tokenNanos - added(count + 1);
            if (saved > mostSaved) {
                mostSaved = saved;
                best = count + 1;
            }
        }
        Arrays.fill(taken, 0, proposals.size(), 0);
        for (int i = 0; i < best; i++) {
            taken[picks[i]]++;
        }
        rows = baseRows + best;
    }

    private int mostProbable() {
        int best = -1;
        double most = -1;
        for (int i = 0; i < proposals.size(); i++) {
            if (taken[i] < mostNodes[i] && proposals.get(i).probability(taken[i]) > most) {
                best = i;
                most = proposals.get(i).probability(taken[i]);
            }
        }
        return best;
    }

    /** Nodes that a proposal got, its root not counted. */
    public int nodes(int index) {
        return taken[index];
    }

    /**
     * Expected saving of a session's tree, in nanoseconds of its own time, against a plain round of all sessions: what
     * the tokens would have taken, less the plain round and its share of the time that trees add for everyone. Drafting
     * is not counted. 0 without a tree.
     */
    public double saving(int index) {
        if (taken[index] == 0) {
            return 0;
        }
        double expected = 0;
        for (int i = 0; i < taken[index]; i++) {
            expected += proposals.get(index).probability(i);
        }
        int all = rows - baseRows;
        return expected * plainNanos - sessions * added(all) * taken[index] / all;
    }

    /** Time that this many nodes add to the pass. */
    private double added(int nodes) {
        return nanos(baseRows + nodes) - nanos(baseRows);
    }

    private double nanos(int passRows) {
        return cost.nanos(Math.min(passRows, cost.maxRows()));
    }
}
