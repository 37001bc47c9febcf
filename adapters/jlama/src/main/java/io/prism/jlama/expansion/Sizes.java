package io.prism.jlama.expansion;

import io.prism.spi.PrismException;

/**
 * Sizes of a decoder, the target's or a draft model's.
 *
 * @param hidden elements of a hidden state
 * @param mlpWidth elements between the MLP's projections
 * @param layers decoder layers
 * @param heads query heads
 * @param kvHeads key/value heads
 * @param headSize elements of a head
 * @param vocabulary tokens
 */
record Sizes(int hidden, int mlpWidth, int layers, int heads, int kvHeads, int headSize, int vocabulary) {

    Sizes {
        if (heads < 1 || kvHeads < 1 || heads % kvHeads != 0) {
            throw new PrismException("A model of " + heads + " heads and " + kvHeads
                    + " key/value heads: expected the heads to be a multiple of the key/value heads");
        }
    }

    /** Query heads that share a key/value head. */
    int group() {
        return heads / kvHeads;
    }
}
