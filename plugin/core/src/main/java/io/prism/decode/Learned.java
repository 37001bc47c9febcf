package io.prism.decode;

import io.prism.tree.AcceptanceModel;
import io.prism.tree.Pace;
import io.prism.tree.StepWorth;

/**
 * What a decoder's sessions have learned of their drafter, together. Greedy and sampled text have each their own, as the
 * drafter's guesses are worth less where the target's token is drawn.
 */
record Learned(AcceptanceModel acceptance, StepWorth stepWorth, Pace pace, Trial trial) {
    /** @param steps the deepest drafts of interest */
    static Learned nothing(int steps) {
        return new Learned(new AcceptanceModel(steps), new StepWorth(), new Pace(), new Trial());
    }
}
