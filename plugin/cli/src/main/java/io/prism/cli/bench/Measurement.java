package io.prism.cli.bench;

import io.prism.cli.model.Decoded;

/**
 * Counts and times of answers, of one question or pooled over many.
 *
 * @param questions how many questions
 * @param equal how many of them have the answers of plain decoding
 * @param tokens tokens that came from passes after the prompts'
 * @param rounds passes after the prompts'
 * @param steps how far drafts came
 * @param repetition how much the answers repeat themselves
 * @param nanos time of these passes and of drafting
 * @param draftNanos how much of it was drafting
 * @param verifyNanos how much of it was passes
 */
public record Measurement(
        int questions,
        int equal,
        long tokens,
        long rounds,
        StepCounts steps,
        Repetition repetition,
        long nanos,
        long draftNanos,
        long verifyNanos) {

    static final Measurement NOTHING = new Measurement(0, 0, 0, 0, StepCounts.NONE, Repetition.NONE, 0, 0, 0);

    /** One turn's answer, as no question yet: {@link #asQuestion} counts it when all turns are there. */
    static Measurement ofAnswer(Decoded answer) {
        return new Measurement(
                0,
                0,
                answer.passTokens(),
                answer.rounds(),
                StepCounts.of(answer),
                Repetition.in(answer.tokens()),
                answer.decodeNanos(),
                answer.draftNanos(),
                answer.verifyNanos());
    }

    Measurement asQuestion(boolean isEqual) {
        return new Measurement(1, isEqual ? 1 : 0, tokens, rounds, steps, repetition, nanos, draftNanos, verifyNanos);
    }

    Measurement plus(Measurement other) {
        return new Measurement(
                questions + other.questions,
                equal + other.equal,
                tokens + other.tokens,
                rounds + other.rounds,
                steps.plus(other.steps),
                repetition.plus(other.repetition),
                nanos + other.nanos,
                draftNanos + other.draftNanos,
                verifyNanos + other.verifyNanos);
    }

    public double nanosPerToken() {
        return tokens == 0 ? Double.NaN : (double) nanos / tokens;
    }

    public double acceptanceLength() {
        return rounds == 0 ? Double.NaN : (double) tokens / rounds;
    }

    /** Share of the time that was drafting. */
    double draftShare() {
        return share(draftNanos);
    }

    /** Share of the time that was the target's passes. */
    double verifyShare() {
        return share(verifyNanos);
    }

    /** Share of the time that was neither. */
    double otherShare() {
        return share(nanos - draftNanos - verifyNanos);
    }

    private double share(long part) {
        return nanos == 0 ? Double.NaN : (double) part / nanos;
    }
}
