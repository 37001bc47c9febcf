package io.prism.kernels.vector;

import static io.prism.kernels.vector.VectorMath.LANES;
import static io.prism.kernels.vector.VectorMath.SPECIES;

import io.prism.kernels.AttentionLayout;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.KvCache;
import io.prism.kernels.RotaryTable;
import jdk.incubator.vector.FloatVector;

/** Rotary position embedding, and storing of keys and values in the cache. */
final class VectorRotary {
    private VectorRotary() {}

    /**
     * Treats rows {@code fromRow} to {@code toRow - 1}; arguments as {@link io.prism.kernels.Kernels#rotateAndStore}.
     * The rotated key is left in {@code qkv} too.
     */
    static void rotateAndStore(
            AttentionLayout layout,
            AttentionShape shape,
            RotaryTable rotary,
            int layer,
            float[] qkv,
            int fromRow,
            int toRow) {
        int headSize = shape.headSize();
        for (int row = fromRow; row < toRow; row++) {
            int angles = layout.position(row) * (headSize / 2);
            int queries = row * shape.qkvWidth();
            int keys = queries + shape.queryWidth();
            for (int head = queries; head < keys + shape.kvWidth(); head += headSize) {
                rotate(rotary, angles, qkv, head);
            }
            store(layout.cache(row), layout.slot(row), shape, layer, qkv, keys);
        }
    }

    private static void rotate(RotaryTable rotary, int angles, float[] x, int offset) {
        float[] cosines = rotary.cosines();
        float[] sines = rotary.sines();
        int half = rotary.headSize() / 2;
        int i = 0;
        for (; i <= half - LANES; i += LANES) {
            FloatVector cosine = FloatVector.fromArray(SPECIES, cosines, angles + i);
            FloatVector sine = FloatVector.fromArray(SPECIES, sines, angles + i);
            FloatVector a = FloatVector.fromArray(SPECIES, x, offset + i);
            FloatVector b = FloatVector.fromArray(SPECIES, x, offset + half + i);
            a.mul(cosine).sub(b.mul(sine)).intoArray(x, offset + i);
            b.mul(cosine).add(a.mul(sine)).intoArray(x, offset + half + i);
        }
        for (; i < half; i++) {
            float cosine = cosines[angles + i];
            float sine = sines[angles + i];
            float a = x[offset + i];
            float b = x[offset + half + i];
            x[offset + i] = a * cosine - b * sine;
            x[offset + half + i] = b * cosine + a * sine;
        }
    }

    private static void store(KvCache cache, int slot, AttentionShape shape, int layer, float[] qkv, int keys) {
        int headSize = shape.headSize();
        int values = keys + shape.kvWidth();
        float[] keyPage = cache.keyPages(layer)[slot / KvCache.PAGE_SLOTS];
        float[] valuePage = cache.valuePages(layer)[slot / KvCache.PAGE_SLOTS];
        for (int head = 0; head < shape.kvHeads(); head++) {
            int from = keys + head * headSize;
            int to = cache.keyIndex(head, slot);
            for (int e = 0; e < headSize; e++) {
                keyPage[to + e * KvCache.BLOCK_SLOTS] = qkv[from + e];
            }
            System.arraycopy(qkv, values + head * headSize, valuePage, cache.valueIndex(head, slot), headSize);
        }
    }
}
