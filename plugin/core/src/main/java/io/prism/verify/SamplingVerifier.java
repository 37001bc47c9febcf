package io.prism.verify;

import io.prism.kernels.Kernels;
import io.prism.spi.PassOutput;

/**
 * Sampling at a temperature, with top-k and top-p, verified <em>by coupling</em>.
 *
 * <p>At a node whose child would be token number {@code t} of the sequence, the target's processed distribution p is
 * drawn from by inverting its cumulative distribution with a uniform number {@code u(seed, t)} ({@link
 * PositionalUniform}). If the drawn token is among the node's children it is accepted and the walk goes on there,
 * otherwise it is the bonus token.
 *
 * <p><b>Lossless.</b> Every token is a draw from p given the true prefix, whatever was proposed, so the text has the
 * target's distribution for any drafter, deterministic or random. The usual rule for a deterministic set of children
 * (try each child x with probability p(x), on rejection set p(x) to 0 and renormalise, at last draw from what is left;
 * SpecInfer's multi-step speculative sampling with point proposals, after Leviathan et al. 2023 and Chen et al. 2023)
 * accepts some child with probability equal to the sum of p over the children, by telescoping, and gives each token
 * probability p(x). Coupling does both with the same probabilities, and has no renormalisation that could run out of
 * mass. For drafts drawn from a distribution q, min(1, p/q) accepts more, but needs the drafter's q to be exact.
 *
 * <p><b>Repeatable.</b> Plain decoding uses the same numbers, so the same seed gives the same text with and without
 * speculation, with any drafter and any tree.
 */
public final class SamplingVerifier extends Verifier {
    private final TokenDistribution distribution;
    private long seed;

    /**
     * Must be given its parameters with {@link #begin} before use.
     *
     * @param vocabulary number of logits of a row
     */
    public SamplingVerifier(Kernels kernels, int vocabulary) {
        this.distribution = new TokenDistribution(kernels, vocabulary);
    }

    /** Sets what the next choices are made with. */
    public void begin(SamplingParameters parameters, long seed) {
        distribution.configure(parameters);
        this.seed = seed;
    }

    @Override
    public int choose(PassOutput output, int row, int position) {
        if (!distribution.load(output.logits(), output.logitsOffset(row))) {
            throw noDistribution(position, "NaN, infinite, or all negative infinity");
        }
        return distribution.draw(PositionalUniform.of(seed, position));
    }
}
