package io.prism.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class ChiSquareTest {

    @Test
    void tailProbabilitiesAgreeWithTables() {
        // Quantiles of the chi-square distribution as printed, to three decimals: the tail is exact to 1e-4.
        assertThat(ChiSquare.upperGamma(0.5, 3.841 / 2)).isCloseTo(0.05, within(1e-4));
        assertThat(ChiSquare.upperGamma(5, 18.307 / 2)).isCloseTo(0.05, within(1e-4));
        assertThat(ChiSquare.upperGamma(25, 76.154 / 2)).isCloseTo(0.01, within(1e-4));
        assertThat(ChiSquare.upperGamma(25, 34.764 / 2)).isCloseTo(0.95, within(1e-4));
    }

    @Test
    void aBiasOfTwoPercentShowsInAHundredThousandDraws() {
        assertThat(ChiSquare.pValue(new long[] {51_000, 49_000}, new double[] {0.5, 0.5}))
                .isLessThan(1e-9);
        assertThat(ChiSquare.pValue(new long[] {50_100, 49_900}, new double[] {0.5, 0.5}))
                .isGreaterThan(0.1);
    }
}
