package io.prism.cli.bench;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * How much of its own words an answer repeats. Text that goes round in circles is easy to draft, above all for n-gram
 * look-up, and small models write such text under greedy decoding.
 *
 * @param ngrams runs of {@link #LENGTH} tokens
 * @param repeated how many of them were in the same answer before
 */
public record Repetition(long ngrams, long repeated) {
    static final int LENGTH = 8;
    static final Repetition NONE = new Repetition(0, 0);

    static Repetition in(int[] tokens) {
        Set<List<Integer>> seen = new HashSet<>();
        int count = Math.max(0, tokens.length - LENGTH + 1);
        for (int start = 0; start < count; start++) {
            seen.add(Arrays.stream(tokens, start, start + LENGTH).boxed().toList());
        }
        return new Repetition(count, count - seen.size());
    }

    Repetition plus(Repetition other) {
        return new Repetition(ngrams + other.ngrams, repeated + other.repeated);
    }

    /** Repeated ones among all; NaN if there are none, as where tokens are not known. */
    double share() {
        return ngrams == 0 ? Double.NaN : (double) repeated / ngrams;
    }
}
