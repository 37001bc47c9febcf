package io.prism.spi;

/**
 * What a pass over a batch of rows gives. A view on memory of the session, valid until its next pass (a commit leaves
 * it valid); callers must not write to it, except that the last to read a row's logits may overwrite them.
 */
public interface PassOutput {

    /** Number of rows of the pass. */
    int rows();

    /**
     * The token after a row that the session {@linkplain TargetSession#expect expects}, if the pass found it by itself.
     *
     * @return negative if not: {@link #logits} are there then, and tell it
     */
    default int token(int row) {
        return -1;
    }

    /** Memory that holds logits; see {@link #logitsOffset}. */
    float[] logits();

    /**
     * Where a row's logits [vocabulary] start. A {@link TargetSession#prefill} gives logits of its last row only.
     *
     * @throws IndexOutOfBoundsException if this row has no logits
     */
    int logitsOffset(int row);

    /**
     * Hidden states after the final norm, [rows, hidden] from element 0.
     *
     * @throws IllegalStateException if the session was opened without them
     */
    float[] hiddenStates();

    /**
     * Outputs of an inner layer, [rows, hidden] from element 0.
     *
     * @param index index into {@link HiddenStateRequest#layers()}
     * @throws IllegalStateException if the session was opened without them
     */
    float[] layerStates(int index);
}
