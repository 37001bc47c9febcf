package io.prism.cli.bench;

import io.prism.cli.model.Contender;

/**
 * What a contender gave in one run, with some requests at a time.
 *
 * @param sessions requests at a time; stock decoding takes them one after the other, so its number is 1
 * @param tokens tokens that came while the clock ran, those of unfinished answers too
 * @param nanos how long the clock ran
 * @param answers answers that ended meanwhile
 * @param equal how many of these have the tokens of plain decoding alone (stock: the text)
 * @param passTokens tokens of these answers that came from rounds
 * @param rounds their rounds
 * @param requestsPerPass how many requests shared a pass, on average; 1 for stock
 */
public record Throughput(
        Contender contender,
        int sessions,
        long tokens,
        long nanos,
        int answers,
        int equal,
        long passTokens,
        long rounds,
        double requestsPerPass) {

    public double tokensPerSecond() {
        return nanos == 0 ? 0 : tokens * 1e9 / nanos;
    }

    double acceptanceLength() {
        return rounds == 0 ? Double.NaN : (double) passTokens / rounds;
    }
}
