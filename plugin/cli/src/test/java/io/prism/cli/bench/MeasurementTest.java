package io.prism.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.prism.cli.model.Decoded;
import org.junit.jupiter.api.Test;

class MeasurementTest {

    private static Measurement question(int tokens, int rounds, long nanos, boolean equal, int... accepted) {
        int[] attempted = new int[accepted.length];
        java.util.Arrays.fill(attempted, rounds);
        return Measurement.ofAnswer(
                        new Decoded(new int[0], "", tokens + 1, tokens, rounds, attempted, accepted, 1, nanos))
                .asQuestion(equal);
    }

    @Test
    void poolsTokensRoundsTimesAndSteps() {
        Measurement pooled = question(30, 10, 300, true, 8, 4).plus(question(10, 10, 100, false, 2));
        assertThat(pooled.questions()).isEqualTo(2);
        assertThat(pooled.equal()).isEqualTo(1);
        assertThat(pooled.acceptanceLength()).isEqualTo(2);
        assertThat(pooled.nanosPerToken()).isEqualTo(10);
        assertThat(pooled.acceptanceByStep()).containsExactly(10 / 20.0, 4 / 10.0);
    }

    @Test
    void anAnswerOfOneTokenHasNoRateAndSpoilsNone() {
        Measurement nothing = question(0, 0, 0, true);
        assertThat(nothing.nanosPerToken()).isNaN();
        assertThat(nothing.acceptanceLength()).isNaN();
        assertThat(nothing.plus(question(10, 5, 50, true)).acceptanceLength()).isEqualTo(2);
    }

    @Test
    void mediansLeaveOutWhatIsUnknown() {
        assertThat(Medians.of(3, Double.NaN, 1, 2)).isEqualTo(2);
        assertThat(Medians.of(1, 2)).isEqualTo(1.5);
        assertThat(Medians.of()).isNaN();
    }
}
