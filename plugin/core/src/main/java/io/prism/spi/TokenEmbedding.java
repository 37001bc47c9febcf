package io.prism.spi;

/** The embedding of a target's tokens. Thread-safe. */
@FunctionalInterface
public interface TokenEmbedding {

    /**
     * Writes a token's row as the model stores it, without any multiplier the target's own forward pass applies: draft
     * models of the EAGLE family are trained on raw rows.
     *
     * @param token 0 to vocabulary - 1
     * @param out receives [hidden] from {@code offset}
     */
    void read(int token, float[] out, int offset);
}
