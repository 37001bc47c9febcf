package io.prism.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class AcceptanceModelTest {
    private final AcceptanceModel model = new AcceptanceModel(8);

    private static float log(double p) {
        return (float) Math.log(p);
    }

    @Test
    void aDrafterIsNotTrustedBeforeItIsKnown() {
        for (double p : new double[] {0.01, 0.1, 0.5, 0.9, 1}) {
            assertThat(model.estimate(log(p), true, 1)).isLessThan(0.9 * p).isPositive();
        }
        assertThat(model.estimate(Float.NEGATIVE_INFINITY, true, 1)).isZero();
    }

    @Test
    void estimatesLearnWhatADraftersNumbersAreWorth() {
        Random random = new Random(1);
        for (int i = 0; i < 4000; i++) {
            model.child(log(0.85), true, 2, random.nextDouble() < 0.3);
        }
        // the last 400 trials: a standard error of 0.023
        assertThat(model.estimate(log(0.85), true, 2)).isCloseTo(0.3, within(0.07));
        assertThat(model.estimate(log(0.85), true, 5))
                .as("another depth, nothing else known")
                .isCloseTo(0.3, within(0.07));
        assertThat(model.estimate(log(0.15), true, 2))
                .as("another class is untouched")
                .isLessThan(0.15);
    }

    @Test
    void depthsAreToldApartOnceTheyAreKnown() {
        for (int i = 0; i < 200; i++) {
            model.child(log(0.85), true, 1, true);
            model.child(log(0.85), true, 3, false);
        }
        assertThat(model.estimate(log(0.85), true, 1)).isGreaterThan(0.95);
        assertThat(model.estimate(log(0.85), true, 3)).isLessThan(0.05);
    }

    @Test
    void firstChoicesAreToldApartFromOthersOfTheSameProbability() {
        for (int i = 0; i < 200; i++) {
            model.child(log(0.15), true, 1, true);
            model.child(log(0.15), false, 1, false);
        }
        assertThat(model.estimate(log(0.15), true, 1)).isGreaterThan(0.95);
        assertThat(model.estimate(log(0.15), false, 1)).isLessThan(0.05);
    }

    @Test
    void oldTrialsFade() {
        for (int i = 0; i < 5000; i++) {
            model.child(log(0.5), true, 1, true);
        }
        for (int i = 0; i < 2000; i++) {
            model.child(log(0.5), true, 1, false);
        }
        assertThat(model.estimate(log(0.5), true, 1)).isLessThan(0.05);
    }

    @Test
    void pathProbabilitiesAreProductsAndNeverRiseDownwards() {
        TokenTree tree = new TokenTree(1);
        int a = tree.add(0, 1, log(0.9));
        int b = tree.add(a, 2, log(0.8));
        double[] p = new double[3];
        model.pathProbabilities(tree, new TextBias(), p);
        assertThat(p[0]).isEqualTo(1);
        assertThat(p[b]).isCloseTo(p[a] * model.estimate(log(0.8), true, 2), within(1e-12));
    }

    @Test
    void whatBecameOfAProposalIsLearnedWithoutVerifyingIt() {
        TokenTree tree = new TokenTree(1);
        int a = tree.add(0, 5, log(0.85));
        tree.add(0, 6, log(0.15));
        tree.add(a, 7, log(0.85));
        ProposalFollower follower = new ProposalFollower(model, new TextBias());
        for (int i = 0; i < 300; i++) {
            follower.begin(tree);
            assertThat(follower.isActive()).isTrue();
            follower.token(5);
            follower.token(8);
            assertThat(follower.isActive()).isFalse();
            follower.token(7);
        }
        assertThat(model.estimate(log(0.85), true, 1)).isGreaterThan(0.95);
        assertThat(model.estimate(log(0.15), false, 1)).isLessThan(0.05);
        assertThat(model.estimate(log(0.85), true, 2)).isLessThan(0.05);
        assertThat(model.reach(1)).isGreaterThan(0.95);
        assertThat(model.reach(2)).isLessThan(0.05);
    }
}
