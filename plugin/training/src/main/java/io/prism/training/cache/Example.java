package io.prism.training.cache;

/**
 * A prompt with its answer and what the target made of it. Sizes: n tokens, d hidden size, l inner layers.
 *
 * @param tokens prompt and answer; the last token was never run
 * @param promptLength how many of them are the prompt's
 * @param states BF16 [n - 1, 1 + l, d]: hidden states after the final norm, then the inner layers' outputs
 */
@SuppressWarnings("ArrayRecordComponent") // read only
public record Example(int[] tokens, int promptLength, short[] states) {

    /** Draft positions it gives: tokens and states i, i+1 must both be there. */
    public int positions() {
        return positions(tokens.length);
    }

    static int positions(int tokens) {
        return tokens - 2;
    }

    /** The first position whose output predicts a token of the answer. */
    public int firstAnswer() {
        return Math.max(0, promptLength - 2);
    }

    /** Positions that predict a token of the answer and where {@code steps} draft steps have a meaning. */
    public int answerPositions(int steps) {
        return Math.max(0, positions() - Math.max(firstAnswer(), steps - 1));
    }

    /** Nearest BF16 of a value, ties to even. */
    public static short toBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }

    public static float fromBf16(short value) {
        return Float.intBitsToFloat(value << 16);
    }
}
