package io.prism.drafter.ngram;

import java.util.Arrays;

/**
 * A text and, for every n-gram of a few orders in it, the positions of what came next, the latest first. Appending and
 * truncating a token takes constant time. Not thread-safe.
 *
 * <p>Per order there is a chain of positions (as the hash chains of LZ77 compressors) whose heads are in one table,
 * keyed by a 64-bit hash of order and n-gram. Hash collisions can only cost a match: callers compare tokens.
 *
 * <p>Memory: 4 bytes a token, and for each of {@value #ORDERS} orders 4 bytes of chain and at most 48 bytes of table:
 * 264 bytes a token at worst, when no n-gram occurs twice; about 8 MB for a text of 32k tokens.
 */
final class NgramIndex {
    static final int ORDERS = 5;

    /** Lengths of indexed n-grams. Longer matches are found by comparing what comes before. */
    private static final int[] ORDER = {1, 2, 3, 5, 8};

    private static final int NONE = -1;

    // Constants of the SplitMix64 generator, whose mixing this hash follows.
    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;
    private static final long MULTIPLIER = 0xBF58476D1CE4E5B9L;

    private int[] text = new int[256];
    private final int[][] previous = new int[ORDERS][256];
    private int length;

    private long[] keys = new long[4096];
    private int[] heads = new int[4096];
    private int used;

    int length() {
        return length;
    }

    int token(int position) {
        return text[position];
    }

    static int order(int index) {
        return ORDER[index];
    }

    /** Places for n-grams; grows with the number of different ones. */
    int tableSize() {
        return keys.length;
    }

    /** Appends a token: it is what came next after the n-grams that end before it. */
    void append(int token) {
        if (length == text.length) {
            text = Arrays.copyOf(text, 2 * length);
            for (int i = 0; i < ORDERS; i++) {
                previous[i] = Arrays.copyOf(previous[i], 2 * length);
            }
        }
        for (int i = 0; i < ORDERS && ORDER[i] <= length; i++) {
            int slot = slotFor(key(i, length, NONE));
            previous[i][length] = heads[slot];
            heads[slot] = length;
        }
        text[length++] = token;
    }

    /** Forgets tokens from {@code newLength} on. */
    void truncate(int newLength) {
        while (length > newLength) {
            length--;
            for (int i = 0; i < ORDERS && ORDER[i] <= length; i++) {
                heads[slotFor(key(i, length, NONE))] = previous[i][length];
            }
        }
    }

    /**
     * Position of what came next, the last time, after the text's last tokens and {@code next}, as an n-gram of an
     * order; -1 if it never occurred.
     */
    int latest(int orderIndex, int next) {
        if (ORDER[orderIndex] > length + 1) {
            return NONE;
        }
        long key = key(orderIndex, length + 1, next);
        int mask = keys.length - 1;
        for (int slot = (int) key & mask; keys[slot] != 0; slot = (slot + 1) & mask) {
            if (keys[slot] == key) {
                return heads[slot];
            }
        }
        return NONE;
    }

    /** The position before {@code position} in the chain of an order; -1 at its end. */
    int earlier(int orderIndex, int position) {
        return previous[orderIndex][position];
    }

    /**
     * How many tokens before {@code position} equal the last ones of the text with {@code next} at its end.
     *
     * @param most compares no more than this many
     */
    int matchLength(int position, int next, int most) {
        if (position == 0 || text[position - 1] != next) {
            return 0;
        }
        int matched = 1;
        int limit = Math.min(most, position);
        while (matched < limit && text[position - 1 - matched] == text[length - matched]) {
            matched++;
        }
        return matched;
    }

    /** Hash of an order and the n-gram that ends before {@code end}; {@code next} is the token at the text's end. */
    private long key(int orderIndex, int end, int next) {
        long hash = ORDER[orderIndex] * GOLDEN_GAMMA;
        for (int i = end - ORDER[orderIndex]; i < end; i++) {
            hash = (hash + (i == length ? next : text[i])) * MULTIPLIER;
            hash ^= hash >>> 32;
        }
        return hash == 0 ? 1 : hash;
    }

    private int slotFor(long key) {
        if (2 * used > keys.length) {
            grow();
        }
        int mask = keys.length - 1;
        int slot = (int) key & mask;
        while (keys[slot] != key) {
            if (keys[slot] == 0) {
                keys[slot] = key;
                heads[slot] = NONE;
                used++;
                break;
            }
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    /** Makes room, dropping n-grams that were truncated away. */
    private void grow() {
        int live = 0;
        for (int slot = 0; slot < keys.length; slot++) {
            if (keys[slot] != 0 && heads[slot] != NONE) {
                live++;
            }
        }
        long[] oldKeys = keys;
        int[] oldHeads = heads;
        int capacity = 4 * live > oldKeys.length ? 2 * oldKeys.length : oldKeys.length;
        keys = new long[capacity];
        heads = new int[capacity];
        used = 0;
        for (int slot = 0; slot < oldKeys.length; slot++) {
            if (oldKeys[slot] != 0 && oldHeads[slot] != NONE) {
                heads[slotFor(oldKeys[slot])] = oldHeads[slot];
            }
        }
    }
}
