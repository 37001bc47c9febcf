package io.prism.decode;

import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Counts and times of one request.
 *
 * <p>A <em>round</em> is one pass of the target after prefill. A round's <em>step</em> d (from 1) is depth d of its
 * tree. Arrays are indexed by step - 1 and as long as the deepest tree verified.
 *
 * @param promptTokens tokens of the request's prompt
 * @param generatedTokens tokens in the result; exact, tokens behind a stop are in no count
 * @param endTokenSampled whether the target chose an end token, which no other count but {@code passTokens} includes
 * @param rounds passes of the target after prefill
 * @param draftRounds rounds that verified at least one draft token
 * @param passTokens tokens that came from rounds, an end token included: all but the one that prefill gave
 * @param drafted draft tokens verified
 * @param accepted draft tokens accepted
 * @param draftedByStep rounds in which the tree was at least this deep
 * @param attemptedByStep rounds in which all earlier steps were accepted and the tree had tokens to try at this one
 * @param acceptedByStep rounds in which the token of this step was accepted
 * @param prefillNanos time of the prompt, the drafter's share included
 * @param draftNanos time of proposing and of telling the drafter what was accepted
 * @param verifyNanos time of the target's passes, with whatever other requests had in them
 * @param waitNanos time of rounds spent waiting for passes of other requests, or for those to come
 * @param otherNanos time of everything else in rounds, but for the listener's own
 * @param plainPassNanos what a pass without draft tokens would have taken in the same company, on average; 0 if unknown
 * @param fallbacks rounds that fell back to plain decoding, or to the host from an accelerator, by cause
 */
@SuppressWarnings("ArrayRecordComponent") // made for the caller
public record RequestStatistics(
        int promptTokens,
        int generatedTokens,
        boolean endTokenSampled,
        int rounds,
        int draftRounds,
        int passTokens,
        int drafted,
        int accepted,
        int[] draftedByStep,
        int[] attemptedByStep,
        int[] acceptedByStep,
        long prefillNanos,
        long draftNanos,
        long verifyNanos,
        long waitNanos,
        long otherNanos,
        double plainPassNanos,
        Map<FallbackCause, Integer> fallbacks) {

    /**
     * Acceptance length: tokens per verification pass, the bonus token included; 1 for plain decoding, 0 without a
     * round. (The token that prefill gives came from no verification pass and is left out.) To pool requests, divide
     * the sums of {@link #passTokens} and {@link #rounds}.
     */
    public double acceptanceLength() {
        return rounds == 0 ? 0 : (double) passTokens / rounds;
    }

    /** Conditional acceptance of a step (from 1): accepted, given that earlier steps were and there was one to try. */
    public double conditionalAcceptance(int step) {
        return ratio(acceptedByStep[step - 1], attemptedByStep[step - 1]);
    }

    /** Marginal acceptance of a step (from 1): accepted, given a tree at least this deep. */
    public double marginalAcceptance(int step) {
        return ratio(acceptedByStep[step - 1], draftedByStep[step - 1]);
    }

    /** Time after prefill. */
    public long decodeNanos() {
        return draftNanos + verifyNanos + waitNanos + otherNanos;
    }

    /**
     * How much faster rounds were than plain decoding would have been: passes that were saved against the time that was
     * taken, waiting left out. 1 if unknown.
     */
    public double estimatedSpeedup() {
        long working = decodeNanos() - waitNanos;
        return plainPassNanos > 0 && working > 0 ? passTokens * plainPassNanos / working : 1;
    }

    private static double ratio(int part, int whole) {
        return whole == 0 ? 0 : (double) part / whole;
    }

    /** One line for a log. */
    public String summary() {
        String steps = IntStream.rangeClosed(1, acceptedByStep.length)
                .mapToObj(step -> String.format(Locale.ROOT, "%.2f", conditionalAcceptance(step)))
                .collect(Collectors.joining(" "));
        String rest = drafted == 0 ? "" : ", " + drafts();
        rest += fallbacks.isEmpty() ? "" : ", fallbacks " + fallbacks;
        return String.format(
                Locale.ROOT,
                "%d prompt tokens in %.0f ms; %d tokens in %d rounds, %.0f ms (%.1f tokens/s); acceptance length %.2f,"
                        + " by step [%s], speed-up about %.2f (draft %.0f ms, verify %.0f ms, wait %.0f ms, other"
                        + " %.0f ms)%s",
                promptTokens,
                prefillNanos / 1e6,
                generatedTokens,
                rounds,
                decodeNanos() / 1e6,
                decodeNanos() == 0 ? 0 : passTokens * 1e9 / decodeNanos(),
                acceptanceLength(),
                steps,
                estimatedSpeedup(),
                draftNanos / 1e6,
                verifyNanos / 1e6,
                waitNanos / 1e6,
                otherNanos / 1e6,
                rest);
    }

    private String drafts() {
        String marginal = IntStream.rangeClosed(1, acceptedByStep.length)
                .mapToObj(step -> String.format(Locale.ROOT, "%.2f", marginalAcceptance(step)))
                .collect(Collectors.joining(" "));
        return accepted + " of " + drafted + " draft tokens accepted in " + draftRounds + " drafts, marginal by step ["
                + marginal + "]";
    }
}
