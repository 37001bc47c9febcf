package io.prism.cli.bench;

import io.prism.cli.model.Contender;
import io.prism.verify.SamplingParameters;
import java.util.List;

/**
 * What to measure.
 *
 * @param plain decodes without drafting, through the same forward pass as the drafters; its answers are what others are
 *     held against, and what a conversation goes on from
 * @param others compared with it
 * @param samplings one after the other
 * @param maxNewTokens of each answer
 * @param repeats runs of each prompt, of which the one with the median time counts
 * @param seed of the first prompt; each prompt has its own, the same for every contender
 * @param takingTurns whether contenders answer a prompt side by side instead of one after the other
 */
public record BenchPlan(
        List<QuestionSet> sets,
        Contender plain,
        List<Contender> others,
        List<SamplingParameters> samplings,
        int maxNewTokens,
        int repeats,
        long seed,
        boolean takingTurns) {

    public BenchPlan {
        sets = List.copyOf(sets);
        others = List.copyOf(others);
        samplings = List.copyOf(samplings);
    }

    /** Questions of all sets, at all samplings. */
    public int questions() {
        return samplings.size()
                * sets.stream().mapToInt(set -> set.questions().size()).sum();
    }
}
