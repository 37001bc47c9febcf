package io.prism.kernels.vector;

import io.prism.kernels.Activation;
import io.prism.kernels.AttentionLayout;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.GumbelNoise;
import io.prism.kernels.Kernels;
import io.prism.kernels.KvCache;
import io.prism.kernels.Matrix;
import io.prism.kernels.PackedMatrix;
import io.prism.kernels.Packing;
import io.prism.kernels.Precision;
import io.prism.kernels.RotaryTable;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The specification in plain Java: one thread, one element after another, sums in double precision. Other
 * implementations may differ from it by rounding only.
 */
public final class ScalarKernels implements Kernels {
    private static final double SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);

    private final ThreadLocal<Scratch> scratch = ThreadLocal.withInitial(Scratch::new);

    @Override
    public String description() {
        return "scalar (reference, 1 thread)";
    }

    @Override
    public int threads() {
        return 1;
    }

    @Override
    public PackedMatrix pack(List<Matrix> stacked, Packing packing) {
        return new ScalarMatrix(stacked, packing);
    }

    @Override
    public void multiply(PackedMatrix w, float[] x, int xOffset, int rows, float[] y, int yOffset) {
        ScalarMatrix matrix = (ScalarMatrix) w;
        int inputs = matrix.columns();
        int outputs = matrix.rows();
        float[] weights = scratch.get().floats(inputs);
        if (matrix.isRounded()) {
            multiplyRounded(matrix, x, xOffset, rows, weights, y, yOffset);
            return;
        }
        for (int output = 0; output < outputs; output++) {
            matrix.decodeRow(output, weights);
            for (int row = 0; row < rows; row++) {
                double sum = 0;
                for (int k = 0; k < inputs; k++) {
                    sum += (double) weights[k] * x[xOffset + row * inputs + k];
                }
                y[yOffset + row * outputs + output] = (float) sum;
            }
        }
    }

    private static void multiplyRounded(
            ScalarMatrix matrix, float[] x, int xOffset, int rows, float[] weights, float[] y, int yOffset) {
        int inputs = matrix.columns();
        for (int row = 0; row < rows; row++) {
            for (int output = 0; output < matrix.rows(); output++) {
                matrix.decodeRow(output, weights);
                double sum = 0;
                for (int block = 0; block < inputs; block += Precision.BLOCK) {
                    sum += roundedBlock(weights, block, x, xOffset + row * inputs + block);
                }
                y[yOffset + row * matrix.rows() + output] = (float) sum;
            }
        }
    }

    /** The sum over a block of weights and activations rounded as {@link Packing#ROUNDED_PANELS} says. */
    private static double roundedBlock(float[] weights, int block, float[] x, int from) {
        float largest = 0;
        for (int k = 0; k < Precision.BLOCK; k++) {
            largest = Math.max(largest, Math.abs(x[from + k]));
        }
        float factor = RoundedActivations.MOST / largest;
        float scale = largest / RoundedActivations.MOST;
        double sum = 0;
        for (int k = 0; k < Precision.BLOCK; k++) {
            double rounded = factor <= Float.MAX_VALUE ? Math.rint(x[from + k] * factor) : 0;
            sum += rounded * scale * weights[block + k];
        }
        return sum;
    }

    @Override
    public void rmsNorm(
            float[] x, int xOffset, float[] weight, float epsilon, int rows, int width, float[] y, int yOffset) {
        for (int row = 0; row < rows; row++) {
            int from = xOffset + row * width;
            int to = yOffset + row * width;
            double squares = 0;
            for (int i = 0; i < width; i++) {
                squares += (double) x[from + i] * x[from + i];
            }
            double factor = 1 / Math.sqrt(squares / width + epsilon);
            for (int i = 0; i < width; i++) {
                y[to + i] = (float) (x[from + i] * factor * weight[i]);
            }
        }
    }

    @Override
    public void rotateAndStore(
            AttentionLayout layout, AttentionShape shape, RotaryTable rotary, int layer, float[] qkv) {
        int headSize = shape.headSize();
        for (int row = 0; row < layout.rows(); row++) {
            KvCache cache = layout.cache(row);
            int slot = layout.slot(row);
            int position = layout.position(row);
            int queries = row * shape.qkvWidth();
            int keys = queries + shape.queryWidth();
            int values = keys + shape.kvWidth();
            for (int head = 0; head < shape.heads(); head++) {
                int query = queries + head * headSize;
                rotate(rotary, position, qkv, query, qkv, query, 1);
            }
            float[] keyPage = cache.keyPages(layer)[slot / KvCache.PAGE_SLOTS];
            float[] valuePage = cache.valuePages(layer)[slot / KvCache.PAGE_SLOTS];
            for (int head = 0; head < shape.kvHeads(); head++) {
                int key = keys + head * headSize;
                rotate(rotary, position, qkv, key, keyPage, cache.keyIndex(head, slot), KvCache.BLOCK_SLOTS);
                for (int e = 0; e < headSize; e++) {
                    valuePage[cache.valueIndex(head, slot) + e] = qkv[values + head * headSize + e];
                }
            }
        }
    }

    private static void rotate(
            RotaryTable rotary, int position, float[] x, int offset, float[] y, int yOffset, int yStride) {
        int half = rotary.headSize() / 2;
        for (int i = 0; i < half; i++) {
            float cosine = rotary.cosines()[position * half + i];
            float sine = rotary.sines()[position * half + i];
            float a = x[offset + i];
            float b = x[offset + half + i];
            y[yOffset + i * yStride] = a * cosine - b * sine;
            y[yOffset + (half + i) * yStride] = b * cosine + a * sine;
        }
    }

    @Override
    public void attention(AttentionLayout layout, AttentionShape shape, int layer, float[] qkv, float[] out) {
        int group = shape.heads() / shape.kvHeads();
        for (int row = 0; row < layout.rows(); row++) {
            for (int head = 0; head < shape.heads(); head++) {
                int query = row * shape.qkvWidth() + head * shape.headSize();
                int to = row * shape.queryWidth() + head * shape.headSize();
                attend(layout, row, shape, layer, head / group, qkv, query, out, to);
            }
        }
    }

    private void attend(
            AttentionLayout layout,
            int row,
            AttentionShape shape,
            int layer,
            int kvHead,
            float[] qkv,
            int query,
            float[] out,
            int to) {
        KvCache cache = layout.cache(row);
        int headSize = shape.headSize();
        int visible = layout.visible(row);
        double[] weights = scratch.get().doubles(visible + headSize);
        double largest = Double.NEGATIVE_INFINITY;
        for (int position = 0; position < visible; position++) {
            int slot = slotAt(layout, row, position);
            float[] keys = cache.keyPages(layer)[slot / KvCache.PAGE_SLOTS];
            int key = cache.keyIndex(kvHead, slot);
            double score = 0;
            for (int e = 0; e < headSize; e++) {
                score += (double) qkv[query + e] * keys[key + e * KvCache.BLOCK_SLOTS];
            }
            score *= shape.scale();
            if (shape.softCap() > 0) {
                score = shape.softCap() * Math.tanh(score / shape.softCap());
            }
            weights[position] = score;
            largest = Math.max(largest, score);
        }
        double total = 0;
        for (int position = 0; position < visible; position++) {
            weights[position] = Math.exp(weights[position] - largest);
            total += weights[position];
        }
        for (int e = 0; e < headSize; e++) {
            weights[visible + e] = 0;
        }
        for (int position = 0; position < visible; position++) {
            int slot = slotAt(layout, row, position);
            float[] values = cache.valuePages(layer)[slot / KvCache.PAGE_SLOTS];
            int value = cache.valueIndex(kvHead, slot);
            for (int e = 0; e < headSize; e++) {
                weights[visible + e] += weights[position] * values[value + e];
            }
        }
        for (int e = 0; e < headSize; e++) {
            out[to + e] = (float) (weights[visible + e] / total);
        }
    }

    private static int slotAt(AttentionLayout layout, int row, int position) {
        int prefix = layout.prefix(row);
        return position < prefix ? position : layout.tailSlot(row, position - prefix);
    }

    @Override
    public void gate(Activation activation, float[] gateUp, int rows, int width, float[] out) {
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < width; i++) {
                double gate = gateUp[row * 2 * width + i];
                double up = gateUp[row * 2 * width + width + i];
                double activated = switch (activation) {
                    case SILU -> gate / (1 + Math.exp(-gate));
                    case GELU_TANH ->
                        0.5 * gate * (1 + Math.tanh(SQRT_2_OVER_PI * (gate + 0.044715 * gate * gate * gate)));
                };
                out[row * width + i] = (float) (activated * up);
            }
        }
    }

    @Override
    public void addScaled(float[] x, int xOffset, float factor, float[] y, int yOffset, int length) {
        for (int i = 0; i < length; i++) {
            y[yOffset + i] = Math.fma(factor, x[xOffset + i], y[yOffset + i]);
        }
    }

    @Override
    public void addBias(float[] bias, float[] y, int yOffset, int rows, int width, int stride) {
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < width; i++) {
                y[yOffset + row * stride + i] += bias[i];
            }
        }
    }

    @Override
    public void softCap(float[] x, int offset, int length, float softCap) {
        for (int i = offset; i < offset + length; i++) {
            x[i] = (float) (softCap * Math.tanh((double) x[i] / softCap));
        }
    }

    @Override
    public int argmax(float[] x, int offset, int length) {
        int best = -1;
        for (int i = 0; i < length; i++) {
            if (!Float.isNaN(x[offset + i]) && (best < 0 || x[offset + i] > x[offset + best])) {
                best = i;
            }
        }
        return best;
    }

    @Override
    public float logSumExp(float[] x, int offset, int length, float temperature) {
        double largest = largest(x, offset, length);
        double sum = 0;
        for (int i = offset; i < offset + length; i++) {
            sum += Math.exp((x[i] - largest) / temperature);
        }
        return (float) (largest / temperature + Math.log(sum));
    }

    @Override
    public void softmax(float[] x, int offset, int length, float temperature, float[] y, int yOffset) {
        double largest = largest(x, offset, length);
        double sum = 0;
        for (int i = 0; i < length; i++) {
            sum += Math.exp((x[offset + i] - largest) / temperature);
        }
        for (int i = 0; i < length; i++) {
            y[yOffset + i] = (float) (Math.exp((x[offset + i] - largest) / temperature) / sum);
        }
    }

    private static double largest(float[] x, int offset, int length) {
        double largest = Double.NEGATIVE_INFINITY;
        for (int i = offset; i < offset + length; i++) {
            largest = Math.max(largest, x[i]);
        }
        return largest;
    }

    @Override
    public void topK(float[] x, int offset, int length, int k, int[] indices, float[] values) {
        if (k < 0 || k > length) {
            throw new IllegalArgumentException("Top " + k + " of " + length + " elements");
        }
        int found = 0;
        for (int i = 0; i < length; i++) {
            float value = Float.isNaN(x[offset + i]) ? Float.NEGATIVE_INFINITY : x[offset + i];
            int at = found;
            while (at > 0 && value > values[at - 1]) {
                at--;
            }
            if (at < k) {
                int moved = Math.min(found, k - 1) - at;
                System.arraycopy(values, at, values, at + 1, moved);
                System.arraycopy(indices, at, indices, at + 1, moved);
                values[at] = value;
                indices[at] = i;
                found = Math.min(found + 1, k);
            }
        }
    }

    @Override
    public void gumbelNoise(long key, int @Nullable [] ids, int length, float factor, float[] y, int yOffset) {
        for (int i = 0; i < length; i++) {
            y[yOffset + i] = (float) (factor * GumbelNoise.of(key, ids == null ? i : ids[i]));
        }
    }

    @Override
    public int draw(float[] x, int offset, int length, float[] noise) {
        int drawn = -1;
        double largest = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < length; i++) {
            float value = x[offset + i];
            if (!(value < Float.POSITIVE_INFINITY)) {
                return -1;
            }
            double perturbed = value + (double) noise[i];
            if (perturbed > largest) {
                largest = perturbed;
                drawn = i;
            }
        }
        return drawn;
    }

    @Override
    public void close() {
        scratch.remove();
    }

    /** Arrays of one thread, grown to the largest size asked for. */
    private static final class Scratch {
        private float[] floats = new float[0];
        private double[] doubles = new double[0];

        float[] floats(int length) {
            if (floats.length < length) {
                floats = new float[length];
            }
            return floats;
        }

        double[] doubles(int length) {
            if (doubles.length < length) {
                doubles = new double[Math.max(length, 2 * doubles.length)];
            }
            return doubles;
        }
    }
}
