package io.prism.spi;

import org.jspecify.annotations.Nullable;

/**
 * How the target draws the tokens of a sampled request: the token at a position is the one with the largest logit plus
 * temperature times noise (the Gumbel-max trick), and the noise depends on the request's seed, the position and the token
 * alone. So it is known before the target's logits are. A drafter that adds it to its own guesses which token will be drawn,
 * not just which is probable, and is right the more often the nearer its distribution is to the target's, however many tokens
 * are probable (Daliri, Musco and Suresh 2024, arXiv 2408.07978, section 3: at least in (1 - d) / (1 + d) of all draws, d the total
 * variation distance). The text does not depend on it: the target draws the same token whatever was drafted.
 *
 * <p>In the hands of one thread at a time.
 */
public interface TokenDraw {

    /** The request's temperature, above 0. */
    float temperature();

    /**
     * The key of a draw: the noise of a token is {@link io.prism.kernels.GumbelNoise#of} of it and the token.
     *
     * @param position index in the sequence of the token drawn, from 0
     */
    long key(int position);

    /**
     * Makes a drafter's logits those of its guesses of the draw: adds the noise, and leaves minus infinity of tokens that top-k
     * and top-p would cut if these logits were the target's. Logits that give no distribution are left as they are.
     *
     * @param logits [length] from {@code offset}
     * @param targetIds the target's ids of the tokens; null if they are 0 to {@code length} - 1
     * @param position index in the sequence of the token to guess, from 0
     */
    void perturb(float[] logits, int offset, int length, int @Nullable [] targetIds, int position);
}
