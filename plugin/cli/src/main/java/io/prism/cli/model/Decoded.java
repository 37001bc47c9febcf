package io.prism.cli.model;

import io.prism.decode.RequestStatistics;

/**
 * One measured generation.
 *
 * @param tokens generated tokens; empty for stock decoding, whose interface tells only the text
 * @param text the answer
 * @param generated tokens of the answer, an end token not counted
 * @param passTokens tokens that came from passes after the prompt's: all but the first, an end token included
 * @param rounds passes after the prompt's
 * @param draftedByStep rounds whose tree was at least this deep (draft step, index from 0)
 * @param attemptedByStep rounds in which this draft step was reached
 * @param acceptedByStep rounds in which its token was accepted
 * @param promptNanos time of the prompt
 * @param decodeNanos time of the rounds
 * @param draftNanos how much of it was drafting
 * @param verifyNanos how much of it was the target's passes
 */
@SuppressWarnings("ArrayRecordComponent") // handed over by the one who measured
public record Decoded(
        int[] tokens,
        String text,
        int generated,
        int passTokens,
        int rounds,
        int[] draftedByStep,
        int[] attemptedByStep,
        int[] acceptedByStep,
        long promptNanos,
        long decodeNanos,
        long draftNanos,
        long verifyNanos) {

    static Decoded of(int[] tokens, String text, RequestStatistics statistics) {
        return new Decoded(
                tokens,
                text,
                statistics.generatedTokens(),
                statistics.passTokens(),
                statistics.rounds(),
                statistics.draftedByStep(),
                statistics.attemptedByStep(),
                statistics.acceptedByStep(),
                statistics.prefillNanos(),
                statistics.decodeNanos(),
                statistics.draftNanos(),
                statistics.verifyNanos());
    }
}
