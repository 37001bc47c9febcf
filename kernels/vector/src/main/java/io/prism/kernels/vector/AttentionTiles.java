package io.prism.kernels.vector;

import static io.prism.kernels.vector.VectorMath.LANES;
import static io.prism.kernels.vector.VectorMath.SPECIES;

import io.prism.kernels.KvCache;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * The inner loops of attention, on tiles of {@link #QUERIES} queries and one page of slots. Each score and each output
 * element has one accumulator, filled in order of elements and of positions, so that the tile it is computed in leaves
 * no trace in its bits.
 */
final class AttentionTiles {
    /** Queries of a tile; with as many key or value vectors they fill half of 32 registers with accumulators. */
    static final int QUERIES = 4;

    /** Slots of a page, and positions of a chunk. */
    static final int CHUNK = KvCache.PAGE_SLOTS;

    private static final int BLOCK = KvCache.BLOCK_SLOTS;
    private static final int VECTORS = 4;

    private AttentionTiles() {}

    /**
     * Scores of one tile with all slots of a page.
     *
     * @param queries scaled queries of the tile, [headSize, QUERIES], from {@code query}
     * @param keys a key page; {@code key} is where the key/value head starts
     * @param scores receives [QUERIES, CHUNK] from {@code score}, rows {@code stride} apart
     */
    static void scores(
            float[] queries, int query, float[] keys, int key, int headSize, float[] scores, int score, int stride) {
        for (int slot = 0; slot < CHUNK; slot += VECTORS * LANES) {
            fourVectors(
                    queries,
                    query,
                    keys,
                    key + vectorStart(slot, headSize),
                    key + vectorStart(slot + LANES, headSize),
                    key + vectorStart(slot + 2 * LANES, headSize),
                    key + vectorStart(slot + 3 * LANES, headSize),
                    headSize,
                    scores,
                    score + slot,
                    stride);
        }
    }

    private static int vectorStart(int slot, int headSize) {
        return slot / BLOCK * BLOCK * headSize + slot % BLOCK;
    }

    private static void fourVectors(
            float[] queries,
            int query,
            float[] keys,
            int key0,
            int key1,
            int key2,
            int key3,
            int headSize,
            float[] scores,
            int score,
            int stride) {
        FloatVector s00 = FloatVector.zero(SPECIES);
        FloatVector s01 = s00;
        FloatVector s02 = s00;
        FloatVector s03 = s00;
        FloatVector s10 = s00;
        FloatVector s11 = s00;
        FloatVector s12 = s00;
        FloatVector s13 = s00;
        FloatVector s20 = s00;
        FloatVector s21 = s00;
        FloatVector s22 = s00;
        FloatVector s23 = s00;
        FloatVector s30 = s00;
        FloatVector s31 = s00;
        FloatVector s32 = s00;
        FloatVector s33 = s00;
        for (int e = 0; e < headSize; e++) {
            FloatVector k0 = FloatVector.fromArray(SPECIES, keys, key0 + e * BLOCK);
            FloatVector k1 = FloatVector.fromArray(SPECIES, keys, key1 + e * BLOCK);
            FloatVector k2 = FloatVector.fromArray(SPECIES, keys, key2 + e * BLOCK);
            FloatVector k3 = FloatVector.fromArray(SPECIES, keys, key3 + e * BLOCK);
            FloatVector q0 = FloatVector.broadcast(SPECIES, queries[query + e * QUERIES]);
            s00 = k0.lanewise(VectorOperators.FMA, q0, s00);
            s01 = k1.lanewise(VectorOperators.FMA, q0, s01);
            s02 = k2.lanewise(VectorOperators.FMA, q0, s02);
            s03 = k3.lanewise(VectorOperators.FMA, q0, s03);
            FloatVector q1 = FloatVector.broadcast(SPECIES, queries[query + e * QUERIES + 1]);
            s10 = k0.lanewise(VectorOperators.FMA, q1, s10);
            s11 = k1.lanewise(VectorOperators.FMA, q1, s11);
            s12 = k2.lanewise(VectorOperators.FMA, q1, s12);
            s13 = k3.lanewise(VectorOperators.FMA, q1, s13);
            FloatVector q2 = FloatVector.broadcast(SPECIES, queries[query + e * QUERIES + 2]);
            s20 = k0.lanewise(VectorOperators.FMA, q2, s20);
            s21 = k1.lanewise(VectorOperators.FMA, q2, s21);
            s22 = k2.lanewise(VectorOperators.FMA, q2, s22);
            s23 = k3.lanewise(VectorOperators.FMA, q2, s23);
            FloatVector q3 = FloatVector.broadcast(SPECIES, queries[query + e * QUERIES + 3]);
            s30 = k0.lanewise(VectorOperators.FMA, q3, s30);
            s31 = k1.lanewise(VectorOperators.FMA, q3, s31);
            s32 = k2.lanewise(VectorOperators.FMA, q3, s32);
            s33 = k3.lanewise(VectorOperators.FMA, q3, s33);
        }
        s00.intoArray(scores, score);
        s01.intoArray(scores, score + LANES);
        s02.intoArray(scores, score + 2 * LANES);
        s03.intoArray(scores, score + 3 * LANES);
        s10.intoArray(scores, score + stride);
        s11.intoArray(scores, score + stride + LANES);
        s12.intoArray(scores, score + stride + 2 * LANES);
        s13.intoArray(scores, score + stride + 3 * LANES);
        s20.intoArray(scores, score + 2 * stride);
        s21.intoArray(scores, score + 2 * stride + LANES);
        s22.intoArray(scores, score + 2 * stride + 2 * LANES);
        s23.intoArray(scores, score + 2 * stride + 3 * LANES);
        s30.intoArray(scores, score + 3 * stride);
        s31.intoArray(scores, score + 3 * stride + LANES);
        s32.intoArray(scores, score + 3 * stride + 2 * LANES);
        s33.intoArray(scores, score + 3 * stride + 3 * LANES);
    }

    /** The largest score of one query and chunk; NaN passed over. */
    static float largest(float[] scores, int score) {
        FloatVector largest = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
        for (int i = score; i < score + CHUNK; i += LANES) {
            FloatVector next = FloatVector.fromArray(SPECIES, scores, i);
            largest = next.blend(
                    largest, next.compare(VectorOperators.GT, largest).not());
        }
        return largest.reduceLanes(VectorOperators.MAX);
    }

    /** Multiplies {@code length} elements, a multiple of the lanes. */
    static void scale(float[] x, int from, int length, float factor) {
        for (int i = from; i < from + length; i += LANES) {
            FloatVector.fromArray(SPECIES, x, i).mul(factor).intoArray(x, i);
        }
    }

    /**
     * Adds weight x value to the outputs of one tile for the first {@code count} slots of a page.
     *
     * @param weights [QUERIES, CHUNK] from {@code weight}
     * @param values a value page; {@code value} is where the key/value head starts
     * @param sums [QUERIES, stride] from {@code sum}
     */
    static void accumulate(
            float[] weights,
            int weight,
            int count,
            float[] values,
            int value,
            int headSize,
            float[] sums,
            int sum,
            int stride) {
        int e = 0;
        for (; e <= headSize - VECTORS * LANES; e += VECTORS * LANES) {
            accumulateFour(weights, weight, count, values, value + e, headSize, sums, sum + e, stride);
        }
        for (; e < headSize; e += LANES) {
            accumulateOne(weights, weight, count, values, value + e, headSize, sums, sum + e, stride, headSize - e);
        }
    }

    private static void accumulateFour(
            float[] weights,
            int weight,
            int count,
            float[] values,
            int value,
            int headSize,
            float[] sums,
            int sum,
            int stride) {
        FloatVector o00 = FloatVector.fromArray(SPECIES, sums, sum);
        FloatVector o01 = FloatVector.fromArray(SPECIES, sums, sum + LANES);
        FloatVector o02 = FloatVector.fromArray(SPECIES, sums, sum + 2 * LANES);
        FloatVector o03 = FloatVector.fromArray(SPECIES, sums, sum + 3 * LANES);
        int sum1 = sum + stride;
        FloatVector o10 = FloatVector.fromArray(SPECIES, sums, sum1);
        FloatVector o11 = FloatVector.fromArray(SPECIES, sums, sum1 + LANES);
        FloatVector o12 = FloatVector.fromArray(SPECIES, sums, sum1 + 2 * LANES);
        FloatVector o13 = FloatVector.fromArray(SPECIES, sums, sum1 + 3 * LANES);
        int sum2 = sum1 + stride;
        FloatVector o20 = FloatVector.fromArray(SPECIES, sums, sum2);
        FloatVector o21 = FloatVector.fromArray(SPECIES, sums, sum2 + LANES);
        FloatVector o22 = FloatVector.fromArray(SPECIES, sums, sum2 + 2 * LANES);
        FloatVector o23 = FloatVector.fromArray(SPECIES, sums, sum2 + 3 * LANES);
        int sum3 = sum2 + stride;
        FloatVector o30 = FloatVector.fromArray(SPECIES, sums, sum3);
        FloatVector o31 = FloatVector.fromArray(SPECIES, sums, sum3 + LANES);
        FloatVector o32 = FloatVector.fromArray(SPECIES, sums, sum3 + 2 * LANES);
        FloatVector o33 = FloatVector.fromArray(SPECIES, sums, sum3 + 3 * LANES);
        for (int i = 0; i < count; i++) {
            int at = value + i * headSize;
            FloatVector v0 = FloatVector.fromArray(SPECIES, values, at);
            FloatVector v1 = FloatVector.fromArray(SPECIES, values, at + LANES);
            FloatVector v2 = FloatVector.fromArray(SPECIES, values, at + 2 * LANES);
            FloatVector v3 = FloatVector.fromArray(SPECIES, values, at + 3 * LANES);
            FloatVector w0 = FloatVector.broadcast(SPECIES, weights[weight + i]);
            o00 = v0.lanewise(VectorOperators.FMA, w0, o00);
            o01 = v1.lanewise(VectorOperators.FMA, w0, o01);
            o02 = v2.lanewise(VectorOperators.FMA, w0, o02);
            o03 = v3.lanewise(VectorOperators.FMA, w0, o03);
            FloatVector w1 = FloatVector.broadcast(SPECIES, weights[weight + i + CHUNK]);
            o10 = v0.lanewise(VectorOperators.FMA, w1, o10);
            o11 = v1.lanewise(VectorOperators.FMA, w1, o11);
            o12 = v2.lanewise(VectorOperators.FMA, w1, o12);
            o13 = v3.lanewise(VectorOperators.FMA, w1, o13);
            FloatVector w2 = FloatVector.broadcast(SPECIES, weights[weight + i + 2 * CHUNK]);
            o20 = v0.lanewise(VectorOperators.FMA, w2, o20);
            o21 = v1.lanewise(VectorOperators.FMA, w2, o21);
            o22 = v2.lanewise(VectorOperators.FMA, w2, o22);
            o23 = v3.lanewise(VectorOperators.FMA, w2, o23);
            FloatVector w3 = FloatVector.broadcast(SPECIES, weights[weight + i + 3 * CHUNK]);
            o30 = v0.lanewise(VectorOperators.FMA, w3, o30);
            o31 = v1.lanewise(VectorOperators.FMA, w3, o31);
            o32 = v2.lanewise(VectorOperators.FMA, w3, o32);
            o33 = v3.lanewise(VectorOperators.FMA, w3, o33);
        }
        o00.intoArray(sums, sum);
        o01.intoArray(sums, sum + LANES);
        o02.intoArray(sums, sum + 2 * LANES);
        o03.intoArray(sums, sum + 3 * LANES);
        o10.intoArray(sums, sum1);
        o11.intoArray(sums, sum1 + LANES);
        o12.intoArray(sums, sum1 + 2 * LANES);
        o13.intoArray(sums, sum1 + 3 * LANES);
        o20.intoArray(sums, sum2);
        o21.intoArray(sums, sum2 + LANES);
        o22.intoArray(sums, sum2 + 2 * LANES);
        o23.intoArray(sums, sum2 + 3 * LANES);
        o30.intoArray(sums, sum3);
        o31.intoArray(sums, sum3 + LANES);
        o32.intoArray(sums, sum3 + 2 * LANES);
        o33.intoArray(sums, sum3 + 3 * LANES);
    }

    private static void accumulateOne(
            float[] weights,
            int weight,
            int count,
            float[] values,
            int value,
            int headSize,
            float[] sums,
            int sum,
            int stride,
            int rest) {
        VectorMask<Float> mask = SPECIES.indexInRange(0, rest);
        FloatVector o0 = FloatVector.fromArray(SPECIES, sums, sum);
        FloatVector o1 = FloatVector.fromArray(SPECIES, sums, sum + stride);
        FloatVector o2 = FloatVector.fromArray(SPECIES, sums, sum + 2 * stride);
        FloatVector o3 = FloatVector.fromArray(SPECIES, sums, sum + 3 * stride);
        for (int i = 0; i < count; i++) {
            FloatVector v = FloatVector.fromArray(SPECIES, values, value + i * headSize, mask);
            o0 = v.lanewise(VectorOperators.FMA, FloatVector.broadcast(SPECIES, weights[weight + i]), o0);
            o1 = v.lanewise(VectorOperators.FMA, FloatVector.broadcast(SPECIES, weights[weight + i + CHUNK]), o1);
            o2 = v.lanewise(VectorOperators.FMA, FloatVector.broadcast(SPECIES, weights[weight + i + 2 * CHUNK]), o2);
            o3 = v.lanewise(VectorOperators.FMA, FloatVector.broadcast(SPECIES, weights[weight + i + 3 * CHUNK]), o3);
        }
        o0.intoArray(sums, sum);
        o1.intoArray(sums, sum + stride);
        o2.intoArray(sums, sum + 2 * stride);
        o3.intoArray(sums, sum + 3 * stride);
    }

    /** Adds weight x value of one slot to the output of one query. */
    static void accumulateSlot(float weight, float[] values, int value, int headSize, float[] sums, int sum) {
        for (int e = 0; e < headSize; e += LANES) {
            VectorMask<Float> mask = SPECIES.indexInRange(e, headSize);
            FloatVector.fromArray(SPECIES, values, value + e, mask)
                    .lanewise(
                            VectorOperators.FMA,
                            FloatVector.broadcast(SPECIES, weight),
                            FloatVector.fromArray(SPECIES, sums, sum + e))
                    .intoArray(sums, sum + e);
        }
    }

    /** Writes the weighted sum of one query divided by the sum of its weights. */
    static void finish(float[] sums, int sum, float total, int headSize, float[] out, int to) {
        for (int e = 0; e < headSize; e += LANES) {
            FloatVector.fromArray(SPECIES, sums, sum + e)
                    .div(total)
                    .intoArray(out, to + e, SPECIES.indexInRange(e, headSize));
        }
    }
}
