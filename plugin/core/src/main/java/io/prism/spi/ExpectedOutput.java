package io.prism.spi;

import org.jspecify.annotations.Nullable;

/**
 * What a session's passes are for.
 *
 * @param tokensOnly whether only the tokens that the target chooses are of interest, not its logits
 * @param draw how it chooses them: the token of the largest logit plus temperature times the draw's noise; null for that of the
 *     largest logit. Null if logits are wanted
 */
public record ExpectedOutput(boolean tokensOnly, @Nullable TokenDraw draw) {
    /** All logits. */
    public static final ExpectedOutput LOGITS = new ExpectedOutput(false, null);

    /** The tokens with the largest logits, the lowest among equals. */
    public static final ExpectedOutput GREEDY_TOKENS = new ExpectedOutput(true, null);

    public ExpectedOutput {
        if (!tokensOnly && draw != null) {
            throw new IllegalArgumentException("Logits do not depend on how tokens are drawn from them");
        }
    }

    /** Tokens drawn from all of the vocabulary. Of the draw only temperature and keys matter. */
    public static ExpectedOutput drawnTokens(TokenDraw draw) {
        return new ExpectedOutput(true, draw);
    }
}
