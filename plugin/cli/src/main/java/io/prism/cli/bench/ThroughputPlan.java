package io.prism.cli.bench;

import io.prism.cli.model.Contender;
import io.prism.spi.HostedModel;
import io.prism.spi.HostedModel.Prompt;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What to measure.
 *
 * @param plain decodes without drafting, through the same forward pass as the drafters; its answers are what others are
 *     held against
 * @param others compared with it
 * @param prompts asked in turn
 * @param sessions numbers of requests at a time
 * @param maxNewTokens of each answer
 * @param time of each run
 * @param repeats runs, of which the one with the median rate counts
 */
public record ThroughputPlan(
        Contender.Ours plain,
        List<Contender> others,
        List<Prompt> prompts,
        List<Integer> sessions,
        int maxNewTokens,
        Duration time,
        int repeats) {

    public ThroughputPlan {
        others = List.copyOf(others);
        prompts = List.copyOf(prompts);
        sessions = List.copyOf(sessions);
    }

    /**
     * The first turns of all questions, one of each set after the other.
     *
     * @param maxNewTokens tokens that must stay free for the answer; prompts that are too long lose their beginning
     */
    public static List<Prompt> prompts(HostedModel model, List<QuestionSet> sets, int maxNewTokens) {
        PromptFitter fitter = new PromptFitter(model, maxNewTokens);
        int longest =
                sets.stream().mapToInt(set -> set.questions().size()).max().orElse(0);
        return IntStream.range(0, longest)
                .boxed()
                .flatMap(i -> sets.stream()
                        .filter(set -> i < set.questions().size())
                        .map(set -> set.questions().get(i).turns().getFirst()))
                .map(turn -> fitter.fit(List.of(turn)).prompt())
                .toList();
    }

    /** Runs of all contenders. */
    public int runs() {
        int ours = 1
                + (int) others.stream().filter(Contender.Ours.class::isInstance).count();
        return repeats * (ours * sessions.size() + 1 + others.size() - ours);
    }
}
