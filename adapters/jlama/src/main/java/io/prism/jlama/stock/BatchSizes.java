package io.prism.jlama.stock;

import com.github.tjake.jlama.tensor.AbstractTensor;
import com.github.tjake.jlama.tensor.KvBufferCache.KvBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Numbers of rows that Jlama computes bit for bit as one row at a time. Its matrix product leaves a corner uncomputed at
 * many sizes, and a batch through a mixture of experts is mixed up, so they are found by trying.
 */
final class BatchSizes {
    /** Around the tile of Jlama's matrix products, 5 rows, and powers of two; larger ones take long to try. */
    private static final int[] CANDIDATES = {16, 15, 10, 8, 5, 4, 3, 2};

    /**
     * While the JIT compiler is at work, Jlama's sums across the lanes of a vector come out in one order or another, and a
     * right size looks wrong. Small models are through all sizes before the compiler is: they are given this time.
     */
    private static final long SETTLING_NANOS = 1_000_000_000L;

    /** Rounds after which a model that takes longer than that need not repeat itself. */
    private static final int MOST_ROUNDS = 4;

    private final int[] falling;

    private BatchSizes(int[] falling) {
        this.falling = falling;
    }

    /**
     * Runs a made-up text one token at a time and in every candidate size, again and again until all sizes are right or
     * Jlama has settled.
     *
     * @param vocabulary tokens to choose from
     * @param contextLength the most tokens to run
     */
    static BatchSizes tried(StockForward forward, int vocabulary, int hidden, int contextLength) {
        int length = Math.min(CANDIDATES[0], contextLength);
        int[] tokens = new int[length];
        for (int i = 0; i < length; i++) {
            tokens[i] = (int) ((2L * i + 1) * vocabulary / (2L * length));
        }
        Set<Integer> wrong =
                Arrays.stream(CANDIDATES).boxed().filter(size -> size <= length).collect(Collectors.toSet());
        Set<Integer> right = new HashSet<>();
        long begin = System.nanoTime();
        boolean settled = false;
        float[] before = new float[0];
        for (int round = 1; !wrong.isEmpty() && !settled; round++) {
            float[] expected = oneByOne(forward, tokens, hidden);
            for (int size : Set.copyOf(wrong)) {
                if (isRight(forward, Arrays.copyOf(tokens, size), expected, hidden)) {
                    wrong.remove(size);
                    right.add(size);
                }
            }
            settled = System.nanoTime() - begin >= SETTLING_NANOS
                    && (Arrays.equals(expected, before) || round >= MOST_ROUNDS);
            before = expected;
        }
        return new BatchSizes(Arrays.stream(CANDIDATES).filter(right::contains).toArray());
    }

    private static float[] oneByOne(StockForward forward, int[] tokens, int hidden) {
        float[] outputs = new float[tokens.length * hidden];
        try (KvBuffer kv = forward.newKvBuffer()) {
            for (int i = 0; i < tokens.length; i++) {
                try (AbstractTensor<?, ?> row = forward.run(new int[] {tokens[i]}, i, kv)) {
                    StockForward.copy(row, 0, outputs, i * hidden, hidden);
                }
            }
        }
        return outputs;
    }

    private static boolean isRight(StockForward forward, int[] tokens, float[] expected, int hidden) {
        float[] row = new float[hidden];
        try (KvBuffer kv = forward.newKvBuffer();
                AbstractTensor<?, ?> rows = forward.run(tokens, 0, kv)) {
            if (rows.shape().first() != tokens.length) {
                return false;
            }
            for (int i = 0; i < tokens.length; i++) {
                StockForward.copy(rows, i, row, 0, hidden);
                if (!Arrays.equals(row, 0, hidden, expected, i * hidden, (i + 1) * hidden)) {
                    return false;
                }
            }
            return true;
        }
    }

    /** The largest right size. */
    int largest() {
        return falling.length == 0 ? 1 : falling[0];
    }

    /** The largest right size of at most {@code rows}. */
    int atMost(int rows) {
        for (int size : falling) {
            if (size <= rows) {
                return size;
            }
        }
        return 1;
    }
}
