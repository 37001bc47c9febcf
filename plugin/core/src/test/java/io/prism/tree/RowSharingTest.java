package io.prism.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RowSharingTest {
    private static final int MAX_ROWS = 64;
    private final AcceptanceModel acceptance = calibrated();

    private static AcceptanceModel calibrated() {
        AcceptanceModel model = new AcceptanceModel(16);
        Random random = new Random(1);
        for (int i = 0; i < 40_000; i++) {
            double p = random.nextDouble();
            model.child((float) Math.log(p), random.nextBoolean(), 1 + random.nextInt(8), random.nextDouble() < p);
        }
        return model;
    }

    /** A pass of n rows takes 1 ms, and beyond {@code free} rows a share of that for each. */
    private static CostModel cost(int free, double share) {
        CostModel cost = new CostModel(MAX_ROWS);
        for (int rows : cost.knots()) {
            cost.calibrate(rows, new long[] {(long) (1e6 * (1 + share * Math.max(0, rows - free)))});
        }
        return cost;
    }

    private TreeSizer chain(int steps, double probability) {
        TokenTree tree = new TokenTree(7);
        for (int i = 0; i < steps; i++) {
            tree.add(i, i, (float) Math.log(probability));
        }
        TreeSizer sizer = new TreeSizer(acceptance, new TextBias());
        sizer.rank(tree, true);
        return sizer;
    }

    private static int nodes(RowSharing sharing, List<TreeSizer> proposals, int sessions, int others) {
        sharing.begin(sessions, others, 1);
        proposals.forEach(it -> sharing.add(it, MAX_ROWS));
        sharing.share();
        int nodes = 0;
        for (int i = 0; i < proposals.size(); i++) {
            nodes += sharing.nodes(i);
        }
        return nodes;
    }

    @Test
    void treesGetSmallerAsSessionsGetMore() {
        RowSharing sharing = new RowSharing(cost(8, 0.25));
        double last = Double.MAX_VALUE;
        for (int sessions : new int[] {1, 2, 4, 8, 16}) {
            List<TreeSizer> proposals = new ArrayList<>();
            for (int i = 0; i < sessions; i++) {
                proposals.add(chain(8, 0.75));
            }
            double each = (double) nodes(sharing, proposals, sessions, 0) / sessions;
            assertThat(each).isLessThanOrEqualTo(last);
            last = each;
        }
        assertThat(last).isLessThan(1);
        assertThat(nodes(sharing, List.of(chain(8, 0.75)), 1, 0)).isGreaterThan(3);
    }

    @Test
    void treesGetSmallerAsDecodingGetsFasterAlready() {
        RowSharing sharing = new RowSharing(cost(1, 0.25));
        TreeSizer proposal = chain(8, 0.9);
        int last = 8;
        for (double pace : new double[] {1, 0.7, 0.4, 0.2}) {
            sharing.begin(1, 0, pace);
            sharing.add(proposal, MAX_ROWS);
            sharing.share();
            assertThat(sharing.nodes(0)).isLessThanOrEqualTo(last);
            last = sharing.nodes(0);
        }
        assertThat(last).isZero();
    }

    @Test
    void rowsGoToTheProposalsThatAreWorthMore() {
        RowSharing sharing = new RowSharing(cost(8, 0.25));
        nodes(sharing, List.of(chain(8, 0.3), chain(8, 0.92)), 2, 0);
        assertThat(sharing.nodes(1)).isGreaterThan(sharing.nodes(0) + 2);
    }

    @Test
    void aPromptThatTakesTheRowsThatCostLittleLeavesNoneForTrees() {
        RowSharing sharing = new RowSharing(cost(8, 1));
        assertThat(nodes(sharing, List.of(chain(8, 0.9)), 1, 0)).isPositive();
        assertThat(nodes(sharing, List.of(chain(8, 0.9)), 1, 8)).isZero();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void noOtherDistributionOfRowsSavesMore(long seed) {
        Random random = new Random(seed);
        CostModel cost = cost(2 + random.nextInt(6), 0.05 + 0.3 * random.nextDouble());
        List<TreeSizer> proposals = List.of(
                chain(4, 0.3 + 0.6 * random.nextDouble()),
                chain(4, 0.3 + 0.6 * random.nextDouble()),
                chain(4, 0.3 + 0.6 * random.nextDouble()));
        RowSharing sharing = new RowSharing(cost);
        nodes(sharing, proposals, 3, 0);
        double chosen = saved(cost, proposals, sharing.nodes(0), sharing.nodes(1), sharing.nodes(2));
        for (int a = 0; a <= 4; a++) {
            for (int b = 0; b <= 4; b++) {
                for (int c = 0; c <= 4; c++) {
                    double other = saved(cost, proposals, a, b, c);
                    // where the best is within the least gain, a plain round is taken
                    assertThat(chosen)
                            .isGreaterThanOrEqualTo(Math.min(
                                            other, Math.max(0, other - RowSharing.LEAST_GAIN * cost.nanos(3)))
                                    - 1e-6);
                }
            }
        }
    }

    /** Time saved if a token is worth its share of a plain round. */
    private static double saved(CostModel cost, List<TreeSizer> proposals, int... nodes) {
        double expected = 0;
        int rows = nodes.length;
        for (int i = 0; i < nodes.length; i++) {
            for (int k = 0; k < nodes[i]; k++) {
                expected += proposals.get(i).probability(k);
            }
            rows += nodes[i];
        }
        double plain = cost.nanos(nodes.length);
        return expected * plain / nodes.length - (cost.nanos(rows) - plain);
    }

    @Test
    void savingsOfAllSessionsAddUpToTheSavingOfTheRound() {
        CostModel cost = cost(8, 0.2);
        RowSharing sharing = new RowSharing(cost);
        List<TreeSizer> proposals = List.of(chain(6, 0.9), chain(6, 0.8), chain(6, 0.2));
        int nodes = nodes(sharing, proposals, 4, 0);
        double expected = 0;
        double savings = 0;
        for (int i = 0; i < 3; i++) {
            savings += sharing.saving(i);
            for (int k = 0; k < sharing.nodes(i); k++) {
                expected += proposals.get(i).probability(k);
            }
        }
        // Four sessions wait for what the trees add; their plain rounds would have taken as many tokens longer.
        double whole = expected * cost.nanos(4) - 4 * (cost.nanos(4 + nodes) - cost.nanos(4));
        assertThat(savings).isCloseTo(whole, within(1e-6 * whole));
    }

    @Test
    void limitsHold() {
        RowSharing sharing = new RowSharing(cost(MAX_ROWS, 1));
        List<TreeSizer> proposals = List.of(chain(8, 0.9), chain(8, 0.9));
        nodes(sharing, proposals, 2, 0);
        assertThat(sharing.nodes(0)).isEqualTo(8);
        sharing.limit(0, 3);
        sharing.share();
        assertThat(sharing.nodes(0)).isEqualTo(2);
        assertThat(sharing.nodes(1)).isEqualTo(8);
        nodes(sharing, proposals, 2, MAX_ROWS - 5);
        assertThat(sharing.nodes(0) + sharing.nodes(1)).isEqualTo(3);
        assertThat(nodes(sharing, List.of(), 2, 2 * MAX_ROWS)).isZero();
    }
}
