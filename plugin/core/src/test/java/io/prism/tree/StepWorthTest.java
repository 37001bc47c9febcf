package io.prism.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class StepWorthTest {
    private static final double TOKEN = 1e6;

    private final StepWorth worth = new StepWorth();
    private final AcceptanceModel acceptance = new AcceptanceModel(16);

    /** A chain whose first step has one probability, by drafter and in truth, and whose second another. */
    private TreeSizer chain(double first, double second) {
        TokenTree tree = new TokenTree(7);
        tree.add(0, 1, (float) Math.log(first));
        tree.add(1, 2, (float) Math.log(second));
        TreeSizer sizer = new TreeSizer(acceptance, new TextBias());
        sizer.rank(tree, true);
        return sizer;
    }

    private void learn(double first, double second) {
        for (int i = 0; i < 300; i++) {
            acceptance.child((float) Math.log(first), true, 1, i % 100 < 100 * first);
            acceptance.child((float) Math.log(second), true, 2, i % 100 < 100 * second);
        }
        for (int i = 0; i < 300; i++) {
            worth.learn(chain(first, second), 2, TOKEN, nodes -> 0);
        }
    }

    private double least(double cost) {
        return Math.exp(worth.leastLogProbability(cost));
    }

    @Test
    void beforeAnythingIsKnownDearStepsAreForProbablePathsOnly() {
        assertThat(least(0)).isZero();
        assertThat(least(0.1)).isBetween(0.1, 0.3);
        assertThat(least(0.4)).isBetween(0.49, 0.9);
        assertThat(least(2)).isCloseTo(1, within(1e-6));
    }

    @Test
    void pathsAreFollowedWhereThatTurnsOutToBeWorthIt() {
        learn(0.15, 0.9);
        learn(0.25, 0.9);
        learn(0.35, 0.9);
        assertThat(least(0.12)).isLessThanOrEqualTo(0.11);
    }

    @Test
    void pathsAreLeftWhereThatTurnsOutToBeInVain() {
        for (double first : new double[] {0.95, 0.85, 0.75, 0.65}) {
            learn(first, 0.01);
        }
        assertThat(least(0.1)).isCloseTo(1, within(1e-6));
    }

    @Test
    void aStepWhoseTokensArePassedOverIsWorthNothing() {
        for (int i = 0; i < 300; i++) {
            worth.learn(chain(0.95, 0.95), 2, TOKEN, nodes -> nodes > 1 ? 10 * TOKEN : 0);
        }
        assertThat(least(0.1)).isCloseTo(1, within(1e-6));
    }

    @Test
    void nowAndThenADraftGoesFurtherThanSeemsToPay() {
        boolean further = false;
        for (int i = 0; i < 32; i++) {
            further |= least(2) < 1 - 1e-6;
        }
        assertThat(further).isTrue();
    }
}
