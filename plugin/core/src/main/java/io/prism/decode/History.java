package io.prism.decode;

import java.util.Arrays;

/** Tokens of a conversation, in order. */
final class History {
    private int[] tokens = new int[256];
    private int length;

    int length() {
        return length;
    }

    int[] tokens() {
        return tokens;
    }

    int last() {
        return tokens[length - 1];
    }

    void append(int token) {
        reserve(1);
        tokens[length++] = token;
    }

    void append(int[] more) {
        reserve(more.length);
        System.arraycopy(more, 0, tokens, length, more.length);
        length += more.length;
    }

    void truncate(int newLength) {
        length = newLength;
    }

    int[] copy(int from) {
        return Arrays.copyOfRange(tokens, from, length);
    }

    int commonPrefix(int[] other) {
        int limit = Math.min(length, other.length);
        int mismatch = Arrays.mismatch(tokens, 0, limit, other, 0, limit);
        return mismatch < 0 ? limit : mismatch;
    }

    private void reserve(int more) {
        if (length + more > tokens.length) {
            tokens = Arrays.copyOf(tokens, Math.max(length + more, 2 * tokens.length));
        }
    }
}
