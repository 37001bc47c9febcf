package io.prism.decode;

import io.prism.spi.ExpectedOutput;

/**
 * A session's planners. What a drafter's guess is worth in greedy decoding says little of sampled text, and passes that have
 * to give logits, as top-k and top-p need them, may cost more than those that look for tokens.
 */
record RoundPlanners(RoundPlanner greedy, RoundPlanner drawn, RoundPlanner drawnFromLogits) {
    RoundPlanner of(ExpectedOutput expected) {
        if (!expected.tokensOnly()) {
            return drawnFromLogits;
        }
        return expected.draw() == null ? greedy : drawn;
    }

    /** Tokens of the session were forgotten. */
    void truncated() {
        greedy.truncated();
        drawn.truncated();
        drawnFromLogits.truncated();
    }
}
