package io.prism.decode;

import io.prism.spi.TargetModel;
import io.prism.tree.CostModel;

/**
 * What passes of a target cost, by what they are for: those that only look for tokens may cost less than those that give
 * logits. One and the same where they don't.
 */
record PassCosts(CostModel tokens, CostModel logits) {
    static PassCosts of(TargetModel target) {
        CostModel logits = new CostModel(target.maxTreeRows());
        return new PassCosts(target.findsTokens() ? new CostModel(target.maxTreeRows()) : logits, logits);
    }

    CostModel of(boolean tokensOnly) {
        return tokensOnly ? tokens : logits;
    }
}
