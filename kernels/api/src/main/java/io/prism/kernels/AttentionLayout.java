package io.prism.kernels;

import java.util.Arrays;

/**
 * Which cache entries each row of a pass writes and sees; reusable, rows of several sessions may be mixed.
 *
 * <p>A row sees slots {@code 0 .. prefix - 1}, whose positions equal their slots, and then the slots of its tail, whose
 * positions follow on in order: {@code prefix, prefix + 1, ..}. The last slot seen is the row's own, so
 * {@code position = prefix + tailLength - 1}. A plain row and a tree row with the same history therefore see the same
 * sequence, and kernels sum in that order.
 *
 * <p>Not thread-safe while rows are being added; read only during a pass.
 */
public final class AttentionLayout {
    private KvCache[] caches = new KvCache[16];
    private int[] slots = new int[16];
    private int[] prefixes = new int[16];
    private int[] tailStarts = new int[17];
    private int[] tail = new int[64];
    private int rows;

    /** Removes all rows. */
    public void clear() {
        Arrays.fill(caches, 0, rows, null);
        rows = 0;
        tailStarts[0] = 0;
    }

    /**
     * Adds {@code count} rows of consecutive tokens that follow {@code length} committed ones; row i is written to slot
     * {@code length + i} and sees everything up to itself.
     */
    public void addSequence(KvCache cache, int length, int count) {
        for (int i = 0; i < count; i++) {
            addRow(cache, length + i, length + i + 1);
        }
    }

    /**
     * Adds the rows of a token tree that follows {@code length} committed tokens; node i is written to slot
     * {@code length + i} and sees the committed tokens, its ancestors and itself.
     *
     * @param parents parent of each node, smaller than the node's own index; node 0 is the root, its entry is ignored
     * @param nodes number of nodes
     */
    public void addTree(KvCache cache, int length, int[] parents, int nodes) {
        int first = rows;
        for (int node = 0; node < nodes; node++) {
            addRow(cache, length + node, length + 1);
            if (node > 0) {
                int parent = first + parents[node];
                int from = tailStarts[parent];
                int inherited = tailStarts[parent + 1] - from;
                int at = tailStarts[first + node];
                reserveTail(at + inherited + 1);
                System.arraycopy(tail, from, tail, at, inherited);
                tail[at + inherited] = length + node;
                tailStarts[rows] = at + inherited + 1;
            }
        }
    }

    /**
     * Adds one row that sees slots {@code 0 .. prefix - 1} and then {@code count} given slots in order, the last of
     * which is its own. Lets a drafter run the levels of a tree one after the other.
     *
     * @param path holds the slots of the row's ancestors from the top down, then its own
     * @param count how many entries of {@code path} count, at least 1
     */
    public void addBranch(KvCache cache, int prefix, int[] path, int count) {
        int row = rows;
        addRow(cache, path[count - 1], prefix);
        int at = tailStarts[row];
        reserveTail(at + count);
        System.arraycopy(path, 0, tail, at, count);
        tailStarts[rows] = at + count;
    }

    /** Adds all rows of another layout. */
    public void addAll(AttentionLayout other) {
        for (int row = 0; row < other.rows; row++) {
            addRow(other.caches[row], other.slots[row], other.prefixes[row]);
            int from = other.tailStarts[row];
            int count = other.tailStarts[row + 1] - from;
            int at = tailStarts[rows];
            reserveTail(at + count);
            System.arraycopy(other.tail, from, tail, at, count);
            tailStarts[rows] = at + count;
        }
    }

    private void addRow(KvCache cache, int slot, int prefix) {
        if (rows == slots.length) {
            caches = Arrays.copyOf(caches, 2 * rows);
            slots = Arrays.copyOf(slots, 2 * rows);
            prefixes = Arrays.copyOf(prefixes, 2 * rows);
            tailStarts = Arrays.copyOf(tailStarts, 2 * rows + 1);
        }
        caches[rows] = cache;
        slots[rows] = slot;
        prefixes[rows] = prefix;
        tailStarts[rows + 1] = tailStarts[rows];
        rows++;
    }

    private void reserveTail(int length) {
        if (length > tail.length) {
            tail = Arrays.copyOf(tail, Math.max(length, 2 * tail.length));
        }
    }

    public int rows() {
        return rows;
    }

    /** The cache a row belongs to. */
    public KvCache cache(int row) {
        return caches[row];
    }

    /** The slot a row's key and value are written to. */
    public int slot(int row) {
        return slots[row];
    }

    /** Number of leading slots a row sees. */
    public int prefix(int row) {
        return prefixes[row];
    }

    /** Number of further slots a row sees. */
    public int tailLength(int row) {
        return tailStarts[row + 1] - tailStarts[row];
    }

    /** The i-th slot a row sees after its prefix. */
    public int tailSlot(int row, int i) {
        return tail[tailStarts[row] + i];
    }

    /** Number of slots a row sees. */
    public int visible(int row) {
        return prefixes[row] + tailLength(row);
    }

    /** The row's position in its sequence, counted from 0. */
    public int position(int row) {
        return visible(row) - 1;
    }
}
