package io.prism.testing;

import io.prism.kernels.Activation;
import io.prism.kernels.AttentionLayout;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.GumbelNoise;
import io.prism.kernels.Kernels;
import io.prism.kernels.Matrix;
import io.prism.kernels.PackedMatrix;
import io.prism.kernels.Packing;
import io.prism.kernels.RotaryTable;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The few operations that decoding uses, written as their definitions read. */
public final class PlainKernels implements Kernels {

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
        throw new UnsupportedOperationException();
    }

    @Override
    public void softmax(float[] x, int offset, int length, float temperature, float[] y, int yOffset) {
        double max = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < length; i++) {
            max = Math.max(max, x[offset + i]);
        }
        double sum = 0;
        for (int i = 0; i < length; i++) {
            sum += Math.exp((x[offset + i] - max) / temperature);
        }
        for (int i = 0; i < length; i++) {
            y[yOffset + i] = (float) (Math.exp((x[offset + i] - max) / temperature) / sum);
        }
    }

    @Override
    public void topK(float[] x, int offset, int length, int k, int[] indices, float[] values) {
        boolean[] taken = new boolean[length];
        for (int rank = 0; rank < k; rank++) {
            int best = -1;
            for (int i = 0; i < length; i++) {
                if (!taken[i] && (best < 0 || key(x[offset + i]) > key(x[offset + best]))) {
                    best = i;
                }
            }
            taken[best] = true;
            indices[rank] = best;
            values[rank] = x[offset + best];
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
            if (Float.isNaN(x[offset + i]) || x[offset + i] == Float.POSITIVE_INFINITY) {
                return -1;
            }
            double perturbed = x[offset + i] + (double) noise[i];
            if (perturbed > largest) {
                largest = perturbed;
                drawn = i;
            }
        }
        return drawn;
    }

    @Override
    public void addScaled(float[] x, int xOffset, float factor, float[] y, int yOffset, int length) {
        for (int i = 0; i < length; i++) {
            y[yOffset + i] += factor * x[xOffset + i];
        }
    }

    private static float key(float value) {
        return Float.isNaN(value) ? Float.NEGATIVE_INFINITY : value;
    }

    @Override
    public String description() {
        return "plain";
    }

    @Override
    public int threads() {
        return 1;
    }

    @Override
    public PackedMatrix pack(List<Matrix> stacked, Packing packing) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void multiply(PackedMatrix w, float[] x, int xOffset, int rows, float[] y, int yOffset) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void rmsNorm(
            float[] x, int xOffset, float[] weight, float epsilon, int rows, int width, float[] y, int yOffset) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void rotateAndStore(
            AttentionLayout layout, AttentionShape shape, RotaryTable rotary, int layer, float[] qkv) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void attention(AttentionLayout layout, AttentionShape shape, int layer, float[] qkv, float[] out) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void gate(Activation activation, float[] gateUp, int rows, int width, float[] out) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void addBias(float[] bias, float[] y, int yOffset, int rows, int width, int stride) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void softCap(float[] x, int offset, int length, float softCap) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
}
