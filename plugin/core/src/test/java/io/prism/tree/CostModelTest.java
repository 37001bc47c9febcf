package io.prism.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CostModelTest {
    private static final double MILLI = 1e6;

    private static void calibrate(CostModel model, int rows, double millis) {
        model.calibrate(rows, new long[] {(long) (millis * MILLI)});
    }

    @Test
    void nothingIsKnownBeforeAOneRowPass() {
        CostModel model = new CostModel(16);
        assertThat(model.isKnown()).isFalse();
        assertThat(model.nanos(1)).isZero();
        model.observe(4, 1000);
        assertThat(model.isKnown()).isFalse();
        model.observe(1, 1000);
        assertThat(model.isKnown()).isTrue();
        assertThat(model.nanos(1)).isCloseTo(1000, within(1.0));
        assertThat(model.nanos(4)).isCloseTo(1000, within(1.0));
    }

    @Test
    void sizesBetweenMeasuredOnesAreInterpolated() {
        CostModel model = new CostModel(64);
        calibrate(model, 1, 45);
        calibrate(model, 4, 55);
        calibrate(model, 8, 95);
        assertThat(model.nanos(2) / MILLI).isCloseTo(45 + 10 / 3.0, within(0.01));
        assertThat(model.nanos(6) / MILLI).isCloseTo(75, within(0.01));
    }

    @Test
    void unmeasuredLargeSizesCostAtLeastTheAssumedPricePerRow() {
        CostModel model = new CostModel(64);
        calibrate(model, 1, 10);
        assertThat(model.nanos(11) / MILLI).isCloseTo(10 + 10 * 10 * CostModel.ASSUMED_ROW_COST, within(0.01));
        calibrate(model, 2, 20);
        assertThat(model.nanos(3) / MILLI).isCloseTo(30, within(0.01));
    }

    @Test
    void aMedianIgnoresOutliers() {
        CostModel model = new CostModel(4);
        model.calibrate(1, new long[] {900_000_000, 5, 100, 101, 99});
        assertThat(model.nanos(1)).isCloseTo(100, within(0.01));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5, 16, 64, 300})
    void morePassesOfAnySizeKeepTheCurveRising(int maxRows) {
        Random random = new Random(maxRows);
        CostModel model = new CostModel(maxRows);
        for (int i = 0; i < 2000; i++) {
            model.observe(1 + random.nextInt(maxRows), (long) (1e5 * Math.exp(random.nextGaussian() * 2)));
            for (int rows = 2; rows <= maxRows && model.isKnown(); rows++) {
                assertThat(model.nanos(rows)).isGreaterThanOrEqualTo(model.nanos(rows - 1));
            }
        }
        assertThat(model.maxRows()).isEqualTo(maxRows);
    }

    @Test
    void aPauseOfTheMachineHardlyShows() {
        CostModel model = new CostModel(8);
        for (int i = 0; i < 100; i++) {
            model.observe(1, 1_000_000);
        }
        model.observe(1, 10_000_000_000L);
        assertThat(model.nanos(1)).isCloseTo(1e6, within(0.03e6));
    }

    @Test
    void aLastingChangeIsFollowedAndMovesTheSizesNotSeen() {
        CostModel model = new CostModel(8);
        calibrate(model, 1, 1);
        calibrate(model, 8, 2);
        for (int i = 0; i < 200; i++) {
            model.observe(1, 1_500_000);
        }
        assertThat(model.nanos(1) / MILLI).isCloseTo(1.5, within(0.03));
        assertThat(model.nanos(8) / MILLI).isGreaterThan(2.1);
    }

    @Test
    void aMachineThatBecomesTwiceAsFastTakesSizesNotSeenMostOfTheWay() {
        CostModel model = new CostModel(8);
        calibrate(model, 1, 2);
        calibrate(model, 4, 3);
        for (int i = 0; i < 300; i++) {
            model.observe(1, 1_000_000);
        }
        assertThat(model.nanos(1) / MILLI).isCloseTo(1, within(0.02));
        assertThat(model.nanos(4) / MILLI).isBetween(1.5, 2.0);
    }

    @Test
    void aSizeNotSeenForLongIsStaleUntilItIsSeen() {
        CostModel model = new CostModel(8);
        calibrate(model, 1, 1);
        calibrate(model, 4, 4);
        for (int i = 0; i <= CostModel.STALE_PASSES; i++) {
            assertThat(model.isStale(3)).isFalse();
            model.observe(1, 1_000_000);
        }
        assertThat(model.isStale(3)).isTrue();
        assertThat(model.isStale(1)).isFalse();
        model.observe(4, 4_000_000);
        assertThat(model.isStale(4)).isFalse();
    }

    @Test
    void aFewPassesOfAStaleSizeTellWhatItAndItsStaleNeighboursCostNow() {
        CostModel model = new CostModel(8);
        calibrate(model, 1, 1);
        calibrate(model, 4, 4);
        calibrate(model, 8, 8);
        for (int look = 0; look < 4; look++) {
            for (int i = 0; i <= CostModel.STALE_PASSES; i++) {
                model.observe(1, 1_000_000);
            }
            model.observe(4, 2_000_000);
        }
        assertThat(model.nanos(1) / MILLI).isCloseTo(1, within(0.05));
        assertThat(model.nanos(4) / MILLI).isCloseTo(2, within(0.2));
        assertThat(model.nanos(8) / MILLI).isCloseTo(4, within(0.5));
    }

    @Test
    void sizesBetweenKnotsRefineTheirNeighbours() {
        CostModel model = new CostModel(16);
        calibrate(model, 1, 1);
        calibrate(model, 8, 2);
        calibrate(model, 12, 2);
        for (int i = 0; i < 300; i++) {
            model.observe(10, 4_000_000);
        }
        assertThat(model.nanos(10) / MILLI).isCloseTo(4, within(0.1));
    }

    @Test
    void onlyKnotsCanBeCalibrated() {
        CostModel model = new CostModel(16);
        assertThat(model.knots()).containsExactly(1, 2, 3, 4, 6, 8, 12, 16);
        assertThat(new CostModel(1).knots()).containsExactly(1);
        assertThat(new CostModel(5).knots()).containsExactly(1, 2, 3, 4, 5);
        assertThatThrownBy(() -> calibrate(model, 5, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> model.calibrate(1, new long[0])).isInstanceOf(IllegalArgumentException.class);
    }
}
