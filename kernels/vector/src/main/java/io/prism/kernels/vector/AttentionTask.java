package io.prism.kernels.vector;

import io.prism.kernels.AttentionLayout;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.KvCache;
import java.util.Arrays;

/**
 * One key/value head of a run of rows that share a cache, and the memory to compute it in. Belongs to one thread.
 *
 * <p>Positions are taken in chunks of a page with a running maximum (Milakov and Gimelshein, 2018, "Online normalizer
 * calculation for softmax"). Chunks, their order and the order within them are given by positions alone; which rows
 * are computed together, and in which slots a tree keeps its rows, has no influence on a row's result.
 */
final class AttentionTask {
    private static final int CHUNK = AttentionTiles.CHUNK;
    private static final int QUERIES = AttentionTiles.QUERIES;

    private AttentionLayout layout;
    private AttentionShape shape;
    private KvCache cache;
    private float[][] keyPages;
    private float[][] valuePages;
    private int kvHead;
    private int firstRow;
    private int group;
    private int queryCount;
    private int tileCount;
    /** Elements of a row of {@link #outputs}: the head size in whole vectors. */
    private int outputWidth;

    /** Scaled queries, [tile, element, query of tile]; queries are ordered by row, then by head of the group. */
    private float[] queries = new float[0];
    /** Scores, then weights, of the current chunk, [query, position in chunk]. */
    private float[] scores = new float[0];
    /** Scores of the pages from {@link #tailPage} on, [query, slot]. */
    private float[] tailScores = new float[0];
    /** First page that holds rows of a tree; from there on scores are put from slot order into position order. */
    private int tailPage;

    private int tailWidth;
    /** Sum of weights of each query. */
    private float[] totals = new float[0];
    /** Weighted sums of values, [query, outputWidth]. */
    private float[] outputs = new float[0];
    /** Largest score so far of each query. */
    private float[] largest = new float[0];

    /** Arguments as in {@link io.prism.kernels.Kernels#attention}, for rows {@code fromRow} to {@code toRow - 1}. */
    void compute(
            AttentionLayout layout,
            AttentionShape shape,
            int layer,
            int kvHead,
            int fromRow,
            int toRow,
            float[] qkv,
            float[] out) {
        this.layout = layout;
        this.shape = shape;
        this.kvHead = kvHead;
        this.firstRow = fromRow;
        this.cache = layout.cache(fromRow);
        this.keyPages = cache.keyPages(layer);
        this.valuePages = cache.valuePages(layer);
        this.group = shape.heads() / shape.kvHeads();
        this.queryCount = (toRow - fromRow) * group;
        this.tileCount = (queryCount + QUERIES - 1) / QUERIES;
        this.outputWidth = (shape.headSize() + VectorMath.LANES - 1) / VectorMath.LANES * VectorMath.LANES;
        reserve();
        packQueries(qkv);
        scoreTailPages(toRow);
        int positions = 0;
        for (int row = fromRow; row < toRow; row++) {
            positions = Math.max(positions, layout.visible(row));
        }
        for (int start = 0; start < positions; start += CHUNK) {
            scoreChunk(start);
            weighChunk(start);
            accumulateChunk(start);
        }
        for (int query = 0; query < queryCount; query++) {
            int to = rowOf(query) * shape.queryWidth() + headOf(query) * shape.headSize();
            AttentionTiles.finish(outputs, query * outputWidth, totals[query], shape.headSize(), out, to);
        }
        this.layout = null;
        this.cache = null;
        this.keyPages = null;
        this.valuePages = null;
    }

    private int rowOf(int query) {
        return firstRow + query / group;
    }

    private int headOf(int query) {
        return kvHead * group + query % group;
    }

    private void reserve() {
        int padded = tileCount * QUERIES;
        queries = reserved(queries, padded * shape.headSize());
        scores = reserved(scores, padded * CHUNK);
        totals = reserved(totals, padded);
        outputs = reserved(outputs, padded * outputWidth);
        largest = reserved(largest, padded);
        Arrays.fill(totals, 0, padded, 0f);
        Arrays.fill(outputs, 0, padded * outputWidth, 0f);
        Arrays.fill(largest, 0, padded, Float.NEGATIVE_INFINITY);
    }

    private static float[] reserved(float[] array, int length) {
        return array.length >= length ? array : new float[Math.max(length, 2 * array.length)];
    }

    private void packQueries(float[] qkv) {
        int headSize = shape.headSize();
        for (int query = 0; query < tileCount * QUERIES; query++) {
            int to = query / QUERIES * headSize * QUERIES + query % QUERIES;
            if (query < queryCount) {
                int from = rowOf(query) * shape.qkvWidth() + headOf(query) * headSize;
                for (int e = 0; e < headSize; e++) {
                    queries[to + e * QUERIES] = qkv[from + e] * shape.scale();
                }
            } else {
                for (int e = 0; e < headSize; e++) {
                    queries[to + e * QUERIES] = 0f;
                }
            }
        }
    }

    /** Scores every page from the first one that a tail lies in, for rows of trees. */
    private void scoreTailPages(int toRow) {
        int first = Integer.MAX_VALUE;
        int last = 0;
        for (int row = firstRow; row < toRow; row++) {
            int tail = layout.tailLength(row);
            last = Math.max(last, (layout.prefix(row) - 1) / CHUNK);
            for (int i = 0; i < tail; i++) {
                last = Math.max(last, layout.tailSlot(row, i) / CHUNK);
            }
            if (tail > 0) {
                first = Math.min(first, layout.prefix(row) / CHUNK);
                for (int i = 0; i < tail; i++) {
                    first = Math.min(first, layout.tailSlot(row, i) / CHUNK);
                }
            }
        }
        tailPage = first;
        if (first == Integer.MAX_VALUE) {
            return;
        }
        tailWidth = (last - first + 1) * CHUNK;
        tailScores = reserved(tailScores, tileCount * QUERIES * tailWidth);
        for (int page = first; page <= last; page++) {
            for (int tile = 0; tile < tileCount; tile++) {
                int score = tile * QUERIES * tailWidth + (page - first) * CHUNK;
                scorePage(page, tile, tailScores, score, tailWidth);
            }
        }
    }

    private void scorePage(int page, int tile, float[] into, int at, int stride) {
        int headSize = shape.headSize();
        int query = tile * QUERIES * headSize;
        AttentionTiles.scores(queries, query, keyPages[page], cache.keyIndex(kvHead, 0), headSize, into, at, stride);
        if (shape.softCap() > 0) {
            for (int i = 0; i < QUERIES; i++) {
                VectorMath.limit(into, at + i * stride, CHUNK, shape.softCap());
            }
        }
    }

    /** Fills {@link #scores} with the chunk of positions that starts at {@code start}. */
    private void scoreChunk(int start) {
        int page = start / CHUNK;
        if (page >= tailPage) {
            for (int query = 0; query < queryCount; query++) {
                gatherTailScores(start, query);
            }
            return;
        }
        for (int tile = 0; tile < tileCount; tile++) {
            scorePage(page, tile, scores, tile * QUERIES * CHUNK, CHUNK);
        }
    }

    private void gatherTailScores(int start, int query) {
        int row = rowOf(query);
        int prefix = layout.prefix(row);
        int end = Math.min(start + CHUNK, layout.visible(row));
        int from = query * tailWidth - tailPage * CHUNK;
        int to = query * CHUNK - start;
        int position = Math.min(end, prefix);
        if (position > start) {
            System.arraycopy(tailScores, from + start, scores, to + start, position - start);
        } else {
            position = start;
        }
        for (; position < end; position++) {
            scores[to + position] = tailScores[from + layout.tailSlot(row, position - prefix)];
        }
    }

    /** Turns scores into weights relative to the largest score so far, and rescales what was summed before. */
    private void weighChunk(int start) {
        for (int query = 0; query < queryCount; query++) {
            int count = layout.visible(rowOf(query)) - start;
            if (count <= 0) {
                continue;
            }
            int score = query * CHUNK;
            if (count < CHUNK) {
                Arrays.fill(scores, score + count, score + CHUNK, Float.NEGATIVE_INFINITY);
            }
            float before = largest[query];
            float now = Math.max(before, AttentionTiles.largest(scores, score));
            if (now > before) {
                largest[query] = now;
                // of the many exponentials, the one that is asked for so seldom may be slow, but never differ
                float factor = (float) StrictMath.exp((double) before - now);
                AttentionTiles.scale(outputs, query * outputWidth, outputWidth, factor);
                totals[query] *= factor;
            }
            float reference = now == Float.NEGATIVE_INFINITY ? 0f : now;
            totals[query] += VectorMath.exponentials(scores, score, CHUNK, reference, 1f, scores, score);
        }
    }

    private void accumulateChunk(int start) {
        int headSize = shape.headSize();
        int page = start / CHUNK;
        for (int tile = 0; tile < tileCount; tile++) {
            int firstQuery = tile * QUERIES;
            int lastQuery = Math.min(firstQuery + QUERIES, queryCount);
            int shared = CHUNK;
            for (int query = firstQuery; query < lastQuery; query++) {
                shared = Math.min(shared, layout.prefix(rowOf(query)) - start);
            }
            shared = Math.max(shared, 0);
            if (shared > 0) {
                AttentionTiles.accumulate(
                        scores,
                        firstQuery * CHUNK,
                        shared,
                        valuePages[page],
                        cache.valueIndex(kvHead, 0),
                        headSize,
                        outputs,
                        firstQuery * outputWidth,
                        outputWidth);
            }
            for (int query = firstQuery; query < lastQuery; query++) {
                accumulateRest(start, start + shared, query);
            }
        }
    }

    /** Adds the values of positions {@code from} to the end of the chunk, one by one. */
    private void accumulateRest(int start, int from, int query) {
        int row = rowOf(query);
        int prefix = layout.prefix(row);
        int end = Math.min(start + CHUNK, layout.visible(row));
        for (int position = from; position < end; position++) {
            int slot = position < prefix ? position : layout.tailSlot(row, position - prefix);
            AttentionTiles.accumulateSlot(
                    scores[query * CHUNK + position - start],
                    valuePages[slot / CHUNK],
                    cache.valueIndex(kvHead, slot),
                    shape.headSize(),
                    outputs,
                    query * outputWidth);
        }
    }
}
