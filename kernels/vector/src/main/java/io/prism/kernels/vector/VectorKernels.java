package io.prism.kernels.vector;

import io.prism.kernels.Activation;
import io.prism.kernels.ArgmaxMatrix;
import io.prism.kernels.AttentionLayout;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.Kernels;
import io.prism.kernels.Matrix;
import io.prism.kernels.PackedMatrix;
import io.prism.kernels.Packing;
import io.prism.kernels.RotaryTable;
import java.util.List;
import java.util.Optional;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/** Kernels on the Vector API at the machine's preferred vector length, shared out over a {@link WorkerTeam}. */
final class VectorKernels implements Kernels {
    private final WorkerTeam team;
    private final MatrixProducts products;
    private final ArgmaxProducts argmaxProducts;
    private final VectorAttention attention;
    private final VectorRows rows;
    private final RowWarmUp warmUp = new RowWarmUp();

    /** Takes over the team and closes it in the end. */
    VectorKernels(WorkerTeam team) {
        this.team = team;
        this.products = new MatrixProducts(team);
        this.argmaxProducts = new ArgmaxProducts(team, products);
        this.attention = new VectorAttention(team);
        this.rows = new VectorRows(team);
    }

    @Override
    public String description() {
        return "vector (%d bit, %d threads)".formatted(FloatVector.SPECIES_PREFERRED.vectorBitSize(), team.threads());
    }

    @Override
    public int threads() {
        return team.threads();
    }

    @Override
    public PackedMatrix pack(List<Matrix> stacked, Packing packing) {
        warmUp.packing(stacked);
        return products.pack(stacked, packing);
    }

    @Override
    public void multiply(PackedMatrix w, float[] x, int xOffset, int rows, float[] y, int yOffset) {
        products.multiply(w, x, xOffset, rows, y, yOffset);
    }

    @Override
    public Optional<ArgmaxMatrix> packForArgmax(PackedMatrix packed, Matrix source) {
        return argmaxProducts.pack(packed, source);
    }

    @Override
    public boolean argmaxOfProduct(
            ArgmaxMatrix w, float[] x, int xOffset, int rows, float @Nullable [] added, int[] indices) {
        return argmaxProducts.find(w, x, xOffset, rows, added, indices);
    }

    @Override
    public void rmsNorm(
            float[] x, int xOffset, float[] weight, float epsilon, int rows, int width, float[] y, int yOffset) {
        this.rows.rmsNorm(x, xOffset, weight, epsilon, rows, width, y, yOffset);
    }

    @Override
    public void rotateAndStore(
            AttentionLayout layout, AttentionShape shape, RotaryTable rotary, int layer, float[] qkv) {
        rows.rotateAndStore(layout, shape, rotary, layer, qkv);
    }

    @Override
    public void attention(AttentionLayout layout, AttentionShape shape, int layer, float[] qkv, float[] out) {
        attention.compute(layout, shape, layer, qkv, out);
    }

    @Override
    public void gate(Activation activation, float[] gateUp, int rows, int width, float[] out) {
        this.rows.gate(activation, gateUp, rows, width, out);
    }

    @Override
    public void addScaled(float[] x, int xOffset, float factor, float[] y, int yOffset, int length) {
        VectorElementwise.addScaled(x, xOffset, factor, y, yOffset, length);
    }

    @Override
    public void addBias(float[] bias, float[] y, int yOffset, int rows, int width, int stride) {
        VectorElementwise.addBias(bias, y, yOffset, rows, width, stride);
    }

    @Override
    public void softCap(float[] x, int offset, int length, float softCap) {
        VectorMath.limit(x, offset, length, softCap);
    }

    @Override
    public int argmax(float[] x, int offset, int length) {
        return VectorLogits.argmax(x, offset, length);
    }

    @Override
    public float logSumExp(float[] x, int offset, int length, float temperature) {
        return VectorLogits.logSumExp(x, offset, length, temperature);
    }

    @Override
    public void softmax(float[] x, int offset, int length, float temperature, float[] y, int yOffset) {
        VectorLogits.softmax(x, offset, length, temperature, y, yOffset);
    }

    @Override
    public void topK(float[] x, int offset, int length, int k, int[] indices, float[] values) {
        VectorLogits.topK(x, offset, length, k, indices, values);
    }

    @Override
    public void gumbelNoise(long key, int @Nullable [] ids, int length, float factor, float[] y, int yOffset) {
        VectorNoise.gumbel(key, ids, length, factor, y, yOffset);
    }

    @Override
    public int draw(float[] x, int offset, int length, float[] noise) {
        return VectorLogits.draw(x, offset, length, noise);
    }

    @Override
    public void close() {
        team.close();
    }
}
