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
 * @param attemptedByStep rounds in which this draft step (index from 0) was reached
 * @param acceptedByStep rounds in which its token was accepted
 * @param promptNanos time of the prompt
 * @param decodeNanos time of the rounds
 */
@SuppressWarnings("ArrayRecordComponent") // handed over by the one who measured
public record Decoded(
        int[] tokens,
        String text,
        int generated,
        int passTokens,
        int rounds,
        int[] attemptedByStep,
        int[] acceptedByStep,
        long promptNanos,
        long decodeNanos) {

    static Decoded of(int[] tokens, String text, RequestStatistics statistics) {
        return new Decoded(
                tokens,
                text,
                statistics.generatedTokens(),
                statistics.passTokens(),
                statistics.rounds(),
                statistics.attemptedByStep(),
                statistics.acceptedByStep(),
                statistics.prefillNanos(),
                statistics.decodeNanos());
    }
}
