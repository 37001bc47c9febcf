package io.prism.decode;

import io.prism.spi.PrismException;
import io.prism.verify.SamplingParameters;
import java.util.OptionalLong;
import java.util.function.IntPredicate;

/**
 * What to generate.
 *
 * @param prompt tokens appended to the session's history first; may be empty if the history is not ({@link
 *     DecodingSession#remainderOf} gives what a session does not hold yet)
 * @param maxNewTokens the most tokens to generate, at least 0
 * @param sampling how tokens are chosen
 * @param seed same seed, same history, same text; empty for the configured seed, else for a new one
 * @param endToken tokens that end the text; such a token is neither in the result nor in the history
 * @param speculate false for plain decoding
 */
@SuppressWarnings("ArrayRecordComponent") // read only, not copied: prompts are long
public record GenerationRequest(
        int[] prompt,
        int maxNewTokens,
        SamplingParameters sampling,
        OptionalLong seed,
        IntPredicate endToken,
        boolean speculate) {

    /** @throws PrismException if {@code maxNewTokens} is negative */
    public GenerationRequest {
        if (maxNewTokens < 0) {
            throw new PrismException("Asked for " + maxNewTokens + " new tokens: expected at least 0.");
        }
    }
}
