package io.prism.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TreeSizerTest {
    private static final int MAX_ROWS = 32;

    private final AcceptanceModel acceptance = new AcceptanceModel(16);
    private final TokenTree chosen = new TokenTree(0);

    /** Chooses for one session by what pays; gives the expected saving. */
    private static double choose(
            CostModel cost, AcceptanceModel acceptance, TokenTree proposal, boolean trees, int rows, TokenTree chosen) {
        TreeSizer sizer = new TreeSizer(acceptance, new TextBias());
        RowSharing sharing = new RowSharing(cost);
        sizer.rank(proposal, trees);
        sharing.begin(1, 0, 1);
        sharing.add(sizer, rows);
        sharing.share();
        sizer.take(sharing.nodes(0), chosen);
        return sharing.saving(0);
    }

    /** A pass of n rows takes 1 ms plus a share of it for each further row. */
    private static CostModel rowsCost(double share) {
        CostModel cost = new CostModel(MAX_ROWS);
        for (int rows : cost.knots()) {
            cost.calibrate(rows, new long[] {(long) (1e6 * (1 + share * (rows - 1)))});
        }
        return cost;
    }

    /** Makes the drafter's probabilities come true. */
    private AcceptanceModel calibrated() {
        Random random = new Random(1);
        for (int i = 0; i < 40_000; i++) {
            double p = random.nextDouble();
            acceptance.child((float) Math.log(p), random.nextBoolean(), 1 + random.nextInt(8), random.nextDouble() < p);
        }
        return acceptance;
    }

    private static TokenTree chain(int steps, double probability) {
        TokenTree tree = new TokenTree(7);
        for (int i = 0; i < steps; i++) {
            tree.add(i, i, (float) Math.log(probability));
        }
        return tree;
    }

    private static TokenTree randomTree(long seed, int nodes) {
        Random random = new Random(seed);
        TokenTree tree = new TokenTree(7);
        while (tree.size() < nodes) {
            int parent = random.nextInt(tree.size());
            if (tree.child(parent, tree.size()) < 0) {
                tree.add(parent, tree.size(), (float) Math.log(0.05 + 0.9 * random.nextDouble()));
            }
        }
        return tree;
    }

    @Test
    void nothingIsVerifiedWhereARowCostsAsMuchAsAPass() {
        assertThat(choose(rowsCost(1), calibrated(), chain(8, 0.97), true, MAX_ROWS, chosen))
                .isZero();
        assertThat(chosen.size()).isEqualTo(1);
        assertThat(chosen.token(0)).isEqualTo(7);
    }

    @Test
    void everythingIsVerifiedWhereRowsAreFree() {
        TokenTree tree = randomTree(3, 20);
        assertThat(choose(rowsCost(0), calibrated(), tree, true, MAX_ROWS, chosen))
                .isPositive();
        assertThat(chosen.size()).isEqualTo(20);
    }

    @Test
    void treesGrowAsRowsGetCheaperAndDraftsBetter() {
        int last = MAX_ROWS + 1;
        for (double share : new double[] {0.001, 0.05, 0.15, 0.3, 0.6, 1}) {
            choose(rowsCost(share), calibrated(), chain(16, 0.85), true, MAX_ROWS, chosen);
            assertThat(chosen.size()).isLessThanOrEqualTo(last);
            last = chosen.size();
        }
        assertThat(last).isEqualTo(1);
        last = 0;
        for (double probability : new double[] {0.02, 0.15, 0.45, 0.65, 0.85, 0.97}) {
            choose(rowsCost(0.2), calibrated(), chain(16, probability), true, MAX_ROWS, chosen);
            assertThat(chosen.size()).isGreaterThanOrEqualTo(last);
            last = chosen.size();
        }
        assertThat(last).isGreaterThan(4);
    }

    @Test
    void theSavingIsTheExpectedOneInTime() {
        // A node of class [0.9, 0.95) with many trials, all accepted: 2 tokens in 1.1 ms instead of 2 ms.
        for (int i = 0; i < 5000; i++) {
            acceptance.child((float) Math.log(0.92), true, 1, true);
        }
        double saving = choose(rowsCost(0.1), acceptance, chain(1, 0.92), true, MAX_ROWS, chosen);
        assertThat(saving).isCloseTo(0.9e6, within(0.02e6));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void chosenTreesAreClosedUnderParentsAndHoldTheMostProbableNodes(long seed) {
        TokenTree tree = randomTree(seed, 30);
        double[] probabilities = new double[tree.size()];
        calibrated().pathProbabilities(tree, new TextBias(), probabilities);
        for (int rows = 1; rows <= 30; rows++) {
            TreeSizer sizer = new TreeSizer(acceptance, new TextBias());
            sizer.rank(tree, true);
            sizer.take(rows - 1, chosen);
            assertThat(chosen.size()).isEqualTo(rows);
            boolean[] taken = new boolean[tree.size()];
            for (int node = 0; node < rows; node++) {
                int original = 0;
                int depth = chosen.depth(node);
                for (int d = 1; d <= depth; d++) {
                    int up = node;
                    while (chosen.depth(up) > d) {
                        up = chosen.parent(up);
                    }
                    original = tree.child(original, chosen.token(up));
                    assertThat(original).isPositive();
                }
                assertThat(chosen.logProbability(node)).isEqualTo(tree.logProbability(original));
                taken[original] = true;
            }
            double least = 1;
            double bestLeft = 0;
            for (int node = 0; node < tree.size(); node++) {
                if (taken[node]) {
                    least = Math.min(least, probabilities[node]);
                } else {
                    bestLeft = Math.max(bestLeft, probabilities[node]);
                }
            }
            assertThat((float) least).isGreaterThanOrEqualTo((float) bestLeft);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void targetsThatTakeNoTreesGetTheBestChain(long seed) {
        TokenTree tree = randomTree(seed, 30);
        double[] probabilities = new double[tree.size()];
        calibrated().pathProbabilities(tree, new TextBias(), probabilities);
        choose(rowsCost(0), acceptance, tree, false, MAX_ROWS, chosen);
        assertThat(chosen.isChain()).isTrue();
        double best = 0;
        for (int leaf = 1; leaf < tree.size(); leaf++) {
            double sum = 0;
            for (int up = leaf; up > 0; up = tree.parent(up)) {
                sum += probabilities[up];
            }
            best = Math.max(best, sum);
        }
        double sum = 0;
        int original = 0;
        for (int node = 1; node < chosen.size(); node++) {
            original = tree.child(original, chosen.token(node));
            sum += probabilities[original];
        }
        assertThat(sum).isCloseTo(best, within(1e-12));
    }

    @Test
    void noMoreRowsAreTakenThanFit() {
        CostModel free = rowsCost(0);
        calibrated();
        for (int rows = 1; rows <= 10; rows++) {
            choose(free, acceptance, randomTree(1, 60), true, rows, chosen);
            assertThat(chosen.size()).isLessThanOrEqualTo(rows);
        }
        choose(free, acceptance, randomTree(1, 60), true, 1000, chosen);
        assertThat(chosen.size()).isEqualTo(MAX_ROWS);
        choose(free, acceptance, new TokenTree(5), true, 10, chosen);
        assertThat(chosen.size()).isEqualTo(1);
    }
}
