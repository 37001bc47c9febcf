package io.prism.verify;

import io.prism.kernels.Kernels;
import io.prism.spi.ExpectedOutput;
import io.prism.spi.PassOutput;

/** Temperature 0: the target's token is its argmax, the lowest index among equals. */
public final class GreedyVerifier extends Verifier {
    private final Kernels kernels;
    private final int vocabulary;

    /** @param vocabulary number of logits of a row */
    public GreedyVerifier(Kernels kernels, int vocabulary) {
        this.kernels = kernels;
        this.vocabulary = vocabulary;
    }

    @Override
    public ExpectedOutput expected() {
        return ExpectedOutput.GREEDY_TOKENS;
    }

    @Override
    public int choose(PassOutput output, int row, int position) {
        int found = output.token(row);
        return found >= 0 ? found : search(output, row, position);
    }

    private int search(PassOutput output, int row, int position) {
        int offset = output.logitsOffset(row);
        int token = kernels.argmax(output.logits(), offset, vocabulary);
        if (token < 0) {
            throw noDistribution(position, "NaN");
        }
        float logit = output.logits()[offset + token];
        if (Float.isInfinite(logit)) {
            throw noDistribution(position, logit > 0 ? "infinite" : "all negative infinity");
        }
        return token;
    }
}
