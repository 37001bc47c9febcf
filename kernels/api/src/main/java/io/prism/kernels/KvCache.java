package io.prism.kernels;

/**
 * Keys and values of one session in F32, for all layers, in pages allocated as the session grows.
 *
 * <p>A <em>slot</em> holds the key and value of one row. Committed tokens occupy slots 0 to length - 1 in order of
 * position; rows of a token tree under verification occupy slots above them in node order, whatever their positions.
 *
 * <p>Layout of a page of {@link #PAGE_SLOTS} slots: keys {@code [kvHead][block of 16 slots][element][slot in block]},
 * so that a vector lane is a slot and a dot product needs no sum across lanes; values {@code [kvHead][slot][element]}.
 *
 * <p>Not safe for concurrent writes; rows of one pass write different slots.
 */
public final class KvCache {
    /** Slots of a page. */
    public static final int PAGE_SLOTS = 64;

    /** Slots interleaved in the key layout. */
    public static final int BLOCK_SLOTS = 16;

    private final int layers;
    private final int kvHeads;
    private final int headSize;
    private final int capacity;
    private final float[][][] keys;
    private final float[][][] values;
    private int pages;

    /**
     * Creates an empty cache; no page is allocated before {@link #ensure}.
     *
     * @param layers number of layers
     * @param kvHeads key/value heads per layer
     * @param headSize elements of a head
     * @param capacity the most slots it may ever hold
     */
    public KvCache(int layers, int kvHeads, int headSize, int capacity) {
        this.layers = layers;
        this.kvHeads = kvHeads;
        this.headSize = headSize;
        this.capacity = capacity;
        int maxPages = (capacity + PAGE_SLOTS - 1) / PAGE_SLOTS;
        this.keys = new float[layers][maxPages][];
        this.values = new float[layers][maxPages][];
    }

    public int layers() {
        return layers;
    }

    public int kvHeads() {
        return kvHeads;
    }

    public int headSize() {
        return headSize;
    }

    /** The most slots this cache may hold. */
    public int capacity() {
        return capacity;
    }

    /** Bytes of the pages allocated so far. */
    public long bytes() {
        return 2L * pages * layers * pageFloats() * Float.BYTES;
    }

    /**
     * Allocates pages so that slots 0 to {@code slots - 1} exist.
     *
     * @throws IllegalArgumentException if {@code slots} exceeds {@link #capacity()}
     */
    public void ensure(int slots) {
        if (slots > capacity) {
            throw new IllegalArgumentException("KV cache: " + slots + " slots asked for, its capacity is " + capacity);
        }
        int needed = (slots + PAGE_SLOTS - 1) / PAGE_SLOTS;
        while (pages < needed) {
            for (int layer = 0; layer < layers; layer++) {
                keys[layer][pages] = new float[pageFloats()];
                values[layer][pages] = new float[pageFloats()];
            }
            pages++;
        }
    }

    /** The key pages of a layer; page p holds slots from {@code p * PAGE_SLOTS}. Unallocated pages are null. */
    public float[][] keyPages(int layer) {
        return keys[layer];
    }

    /** The value pages of a layer. */
    public float[][] valuePages(int layer) {
        return values[layer];
    }

    /** Index of element 0 of a slot's key in its page; element e is at {@code + e * BLOCK_SLOTS}. */
    public int keyIndex(int kvHead, int slot) {
        int inPage = slot % PAGE_SLOTS;
        return (kvHead * (PAGE_SLOTS / BLOCK_SLOTS) + inPage / BLOCK_SLOTS) * headSize * BLOCK_SLOTS
                + inPage % BLOCK_SLOTS;
    }

    /** Index of element 0 of a slot's value in its page; element e is at {@code + e}. */
    public int valueIndex(int kvHead, int slot) {
        return (kvHead * PAGE_SLOTS + slot % PAGE_SLOTS) * headSize;
    }

    /**
     * Stores key and value of a slot that exists.
     *
     * @param from holds the key, rotated, [kvHeads, headSize] from {@code keyOffset}, and the value from {@code
     *     valueOffset}
     */
    public void put(int layer, int slot, float[] from, int keyOffset, int valueOffset) {
        float[] keyPage = keys[layer][slot / PAGE_SLOTS];
        float[] valuePage = values[layer][slot / PAGE_SLOTS];
        for (int head = 0; head < kvHeads; head++) {
            int key = keyIndex(head, slot);
            for (int e = 0; e < headSize; e++) {
                keyPage[key + e * BLOCK_SLOTS] = from[keyOffset + head * headSize + e];
            }
            System.arraycopy(from, valueOffset + head * headSize, valuePage, valueIndex(head, slot), headSize);
        }
    }

    /** Copies key and value of slot {@code from} to slot {@code to} in every layer. */
    public void copySlot(int from, int to) {
        if (from == to) {
            return;
        }
        for (int layer = 0; layer < layers; layer++) {
            float[] sourceKeys = keys[layer][from / PAGE_SLOTS];
            float[] targetKeys = keys[layer][to / PAGE_SLOTS];
            float[] sourceValues = values[layer][from / PAGE_SLOTS];
            float[] targetValues = values[layer][to / PAGE_SLOTS];
            for (int head = 0; head < kvHeads; head++) {
                int source = keyIndex(head, from);
                int target = keyIndex(head, to);
                for (int e = 0; e < headSize * BLOCK_SLOTS; e += BLOCK_SLOTS) {
                    targetKeys[target + e] = sourceKeys[source + e];
                }
                System.arraycopy(sourceValues, valueIndex(head, from), targetValues, valueIndex(head, to), headSize);
            }
        }
    }

    private int pageFloats() {
        return kvHeads * PAGE_SLOTS * headSize;
    }
}
