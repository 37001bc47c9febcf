package io.prism.cli.bench;

import io.prism.cli.model.Decoded;
import java.util.Arrays;

/**
 * Counts and times of answers, of one question or pooled over many.
 *
 * @param questions how many questions
 * @param equal how many of them have the answers of plain decoding
 * @param tokens tokens that came from passes after the prompts'
 * @param rounds passes after the prompts'
 * @param attemptedByStep rounds that reached a draft step
 * @param acceptedByStep rounds that accepted its token
 * @param nanos time of these passes and of drafting
 */
@SuppressWarnings("ArrayRecordComponent") // never changed after construction
public record Measurement(
        int questions, int equal, long tokens, long rounds, long[] attemptedByStep, long[] acceptedByStep, long nanos) {

    static final Measurement NOTHING = new Measurement(0, 0, 0, 0, new long[0], new long[0], 0);

    /** One turn's answer, as no question yet: {@link #asQuestion} counts it when all turns are there. */
    static Measurement ofAnswer(Decoded answer) {
        return new Measurement(
                0,
                0,
                answer.passTokens(),
                answer.rounds(),
                Arrays.stream(answer.attemptedByStep()).asLongStream().toArray(),
                Arrays.stream(answer.acceptedByStep()).asLongStream().toArray(),
                answer.decodeNanos());
    }

    Measurement asQuestion(boolean isEqual) {
        return new Measurement(1, isEqual ? 1 : 0, tokens, rounds, attemptedByStep, acceptedByStep, nanos);
    }

    Measurement plus(Measurement other) {
        return new Measurement(
                questions + other.questions,
                equal + other.equal,
                tokens + other.tokens,
                rounds + other.rounds,
                sum(attemptedByStep, other.attemptedByStep),
                sum(acceptedByStep, other.acceptedByStep),
                nanos + other.nanos);
    }

    public double nanosPerToken() {
        return tokens == 0 ? Double.NaN : (double) nanos / tokens;
    }

    public double acceptanceLength() {
        return rounds == 0 ? Double.NaN : (double) tokens / rounds;
    }

    /** Conditional acceptance of each step: accepted, given that the round reached it. */
    public double[] acceptanceByStep() {
        double[] byStep = new double[attemptedByStep.length];
        Arrays.setAll(
                byStep, step -> attemptedByStep[step] == 0 ? 0 : (double) acceptedByStep[step] / attemptedByStep[step]);
        return byStep;
    }

    private static long[] sum(long[] a, long[] b) {
        long[] longer = Arrays.copyOf(a, Math.max(a.length, b.length));
        for (int i = 0; i < b.length; i++) {
            longer[i] += b[i];
        }
        return longer;
    }
}
