package io.prism.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.prism.cli.model.Decoded;
import org.junit.jupiter.api.Test;

class MeasurementTest {

    private static Measurement question(int tokens, int rounds, long nanos, boolean equal, int... accepted) {
        int[] attempted = new int[accepted.length];
        java.util.Arrays.fill(attempted, rounds);
        int[] drafted = new int[accepted.length];
        java.util.Arrays.fill(drafted, 2 * rounds);
        return Measurement.ofAnswer(new Decoded(
                        new int[0],
                        "",
                        tokens + 1,
                        tokens,
                        rounds,
                        drafted,
                        attempted,
                        accepted,
                        1,
                        nanos,
                        nanos / 10,
                        nanos / 2))
                .asQuestion(equal);
    }

    @Test
    void poolsTokensRoundsTimesAndSteps() {
        Measurement pooled = question(30, 10, 300, true, 8, 4).plus(question(10, 10, 100, false, 2));
        assertThat(pooled.questions()).isEqualTo(2);
        assertThat(pooled.equal()).isEqualTo(1);
        assertThat(pooled.acceptanceLength()).isEqualTo(2);
        assertThat(pooled.nanosPerToken()).isEqualTo(10);
        assertThat(pooled.steps().conditional()).containsExactly(10 / 20.0, 4 / 10.0);
        assertThat(pooled.steps().marginal()).containsExactly(10 / 40.0, 4 / 20.0);
        assertThat(pooled.draftShare()).isEqualTo(40 / 400.0);
        assertThat(pooled.verifyShare()).isEqualTo(200 / 400.0);
        assertThat(pooled.otherShare()).isEqualTo(160 / 400.0);
    }

    @Test
    void countsRunsOfEightTokensThatWereThereBefore() {
        // 1 2 .. 10, then 1 2 .. 9 again: 12 runs, of which 1..8 and 2..9 come again
        Repetition repetition = Repetition.in(new int[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9});
        assertThat(repetition).isEqualTo(new Repetition(12, 2));
        assertThat(repetition.plus(new Repetition(4, 2)).share()).isEqualTo(0.25);
        assertThat(Repetition.in(new int[] {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}).share())
                .isEqualTo(2 / 3.0);
        assertThat(Repetition.in(new int[7]).share()).isNaN();
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
