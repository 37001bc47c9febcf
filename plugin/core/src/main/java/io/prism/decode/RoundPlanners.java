package io.prism.decode;

/** A session's planners: what a drafter's guess is worth in greedy decoding says little of sampled text. */
record RoundPlanners(RoundPlanner greedy, RoundPlanner sampled) {
    RoundPlanner of(boolean isGreedy) {
        return isGreedy ? greedy : sampled;
    }

    /** Tokens of the session were forgotten. */
    void truncated() {
        greedy.truncated();
        sampled.truncated();
    }
}
