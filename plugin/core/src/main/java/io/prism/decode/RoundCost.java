package io.prism.decode;

import io.prism.tree.CostModel;

/**
 * What a round of several sessions took, and what each of them is charged for it. In the time of the sessions, that is
 * (number of sessions) x (time of the round), so that charges add up to it. The time of parts of prompts that went along
 * is left out.
 *
 * @param sessions sessions whose round it was
 * @param rows rows of all their trees, each at least 1
 * @param drafting how many of them had a proposal made in the round
 * @param plain time that a pass without trees would have taken; 0 if unknown
 * @param draft time in which proposals were made
 * @param pass time of the pass
 */
record RoundCost(int sessions, int rows, int drafting, double plain, double draft, double pass) {
    /** A pass this much slower than expected counts no more: the machine paused. */
    private static final double MOST_OUTLIER = 2;

    /** @param otherRows rows of the pass that belong to no round */
    static RoundCost of(
            CostModel cost, int sessions, int otherRows, int rows, int drafting, long draftNanos, long passNanos) {
        if (!cost.isKnown()) {
            return new RoundCost(sessions, rows, drafting, 0, draftNanos, passNanos);
        }
        double plain = nanos(cost, sessions);
        double prompts = nanos(cost, sessions + otherRows) - plain;
        double expected = nanos(cost, rows + otherRows);
        double pass = Math.min(passNanos, MOST_OUTLIER * expected) - prompts;
        return new RoundCost(sessions, rows, drafting, plain, draftNanos, Math.max(pass, 0));
    }

    private static double nanos(CostModel cost, int rows) {
        return cost.nanos(Math.clamp(rows, 1, cost.maxRows()));
    }

    /** The plain pass, and for those with trees their part of what trees added for everyone. */
    double passOf(int treeRows) {
        if (rows == sessions || sessions == 1) {
            return pass;
        }
        double base = Math.min(plain, pass);
        return base + sessions * (pass - base) * (treeRows - 1) / (rows - sessions);
    }

    /** What one of those is charged that had a proposal made. */
    double draftOfOne() {
        return drafting == 0 ? 0 : sessions * draft / drafting;
    }
}
