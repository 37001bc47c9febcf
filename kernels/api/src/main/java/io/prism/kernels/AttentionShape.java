package io.prism.kernels;

/**
 * Shape of grouped-query attention.
 *
 * @param heads query heads, a multiple of {@code kvHeads}
 * @param kvHeads key/value heads
 * @param headSize elements of a head
 * @param scale factor on q.k before the softmax, usually 1/sqrt(headSize)
 * @param softCap if positive, scores s become softCap x tanh(s / softCap); 0 for none
 */
public record AttentionShape(int heads, int kvHeads, int headSize, float scale, float softCap) {
    public AttentionShape {
        if (heads < 1 || kvHeads < 1 || headSize < 1 || heads % kvHeads != 0) {
            throw new IllegalArgumentException("Attention with " + heads + " heads, " + kvHeads
                    + " key/value heads and head size " + headSize + ": heads must be a multiple of key/value heads");
        }
    }

    /** Elements of a query row. */
    public int queryWidth() {
        return heads * headSize;
    }

    /** Elements of a key or value row. */
    public int kvWidth() {
        return kvHeads * headSize;
    }

    /** Elements of a joint row {@code [q | k | v]}. */
    public int qkvWidth() {
        return queryWidth() + 2 * kvWidth();
    }
}
