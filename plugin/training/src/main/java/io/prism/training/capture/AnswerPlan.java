package io.prism.training.capture;

import io.prism.spi.PrismException;
import io.prism.training.plan.AnswerSource;
import java.util.List;

/**
 * How prompts are answered.
 *
 * @param source who answers
 * @param temperatures taken in turn from one answer to the next; 0 is greedy
 * @param answersPerPrompt answers to each prompt
 * @param maxNewTokens the most tokens of an answer
 * @param maxTokens the most tokens of prompt and answer; prompts that leave no room are passed over
 * @param conversations the most conversations to read; 0 for all
 * @param seed of sampling
 */
public record AnswerPlan(
        AnswerSource source,
        List<Float> temperatures,
        int answersPerPrompt,
        int maxNewTokens,
        int maxTokens,
        long conversations,
        long seed) {

    /** @throws PrismException if a value is out of range */
    public AnswerPlan {
        temperatures = List.copyOf(temperatures);
        if (temperatures.isEmpty() || temperatures.stream().anyMatch(t -> !(t >= 0))) {
            throw new PrismException("Temperatures " + temperatures + ": expected at least one, all 0 or more.");
        }
        if (answersPerPrompt < 1 || maxNewTokens < 1 || maxTokens < 3 || conversations < 0) {
            throw new PrismException("Answers per prompt " + answersPerPrompt + ", new tokens " + maxNewTokens
                    + ", tokens " + maxTokens + ", conversations " + conversations
                    + ": expected at least 1, 1, 3 and 0.");
        }
        if (source == AnswerSource.DATASET) {
            temperatures = List.of(0f);
            answersPerPrompt = 1;
        }
    }

    /** All of it in words, to tell caches apart. */
    public String describe() {
        return source + ", temperatures " + temperatures + ", " + answersPerPrompt + " a prompt, at most "
                + maxNewTokens
                + " new and " + maxTokens + " tokens, " + (conversations == 0 ? "all" : conversations)
                + " conversations, seed " + seed;
    }
}
