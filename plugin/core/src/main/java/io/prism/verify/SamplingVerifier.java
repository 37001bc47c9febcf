package io.prism.verify;

import io.prism.kernels.Kernels;
import io.prism.spi.ExpectedOutput;
import io.prism.spi.PassOutput;
import io.prism.spi.TokenDraw;

/**
 * Sampling at a temperature, with top-k and top-p, verified <em>by coupling</em>.
 *
 * <p>At a node whose child would be token number {@code t} of the sequence, a token is drawn from the target's processed
 * distribution p by the Gumbel-max trick, with noise that depends on the seed, {@code t} and the token alone. If the drawn token
 * is among the node's children it is accepted and the walk goes on there, otherwise it is the bonus token. A drafter may know the
 * noise ({@link #draft()}), and then guesses the token that is drawn.
 *
 * <p><b>Lossless.</b> Every token is a draw from p given the true prefix, whatever was proposed, so the text has the
 * target's distribution for any drafter, one that knows the noise included: noise of later tokens is independent of the prefix. The usual
 * rules accept a deterministic set of children with probability equal to the sum of p over it (try each child x with
 * probability p(x), on rejection set p(x) to 0 and renormalise; SpecInfer's multi-step speculative sampling with point
 * proposals), as coupling does where the drafter ignores the noise, and a draft drawn from q with probability 1 - d, d the total
 * variation distance of p and q (Leviathan et al. 2023, Chen et al. 2023). With the noise known it is at least (1 - d) / (1 + d)
 * (Daliri, Musco and Suresh 2024, arXiv 2408.07978), and siblings, the next best guesses of the same draw, add to it. Nothing depends on the
 * drafter's q being exact, and there is no renormalisation that could run out of mass.
 *
 * <p><b>Repeatable.</b> Plain decoding uses the same noise, so the same seed gives the same text with and without
 * speculation, with any drafter and any tree.
 */
public final class SamplingVerifier extends Verifier {
    private final int vocabulary;
    private final GumbelDraw draw;
    private final GumbelDraw draft;
    private ExpectedOutput expected = ExpectedOutput.LOGITS;

    /**
     * Must be given its parameters with {@link #begin} before use.
     *
     * @param vocabulary number of logits of a row
     */
    public SamplingVerifier(Kernels kernels, int vocabulary) {
        this.vocabulary = vocabulary;
        this.draw = new GumbelDraw(kernels);
        this.draft = new GumbelDraw(kernels);
    }

    /** Sets what the next choices are made with. */
    public void begin(SamplingParameters parameters, long seed) {
        draw.begin(parameters, seed);
        draft.begin(parameters, seed);
        expected = parameters.cut(vocabulary) ? ExpectedOutput.LOGITS : ExpectedOutput.drawnTokens(draft);
    }

    /** What a drafter may know of the draws. */
    public TokenDraw draft() {
        return draft;
    }

    @Override
    public ExpectedOutput expected() {
        return expected;
    }

    @Override
    public int choose(PassOutput output, int row, int position) {
        int found = output.token(row);
        return found >= 0 ? found : draw(output, row, position);
    }

    private int draw(PassOutput output, int row, int position) {
        int token = draw.draw(output.logits(), output.logitsOffset(row), vocabulary, position);
        if (token < 0) {
            throw noDistribution(position, "NaN, infinite, or all negative infinity");
        }
        return token;
    }
}
