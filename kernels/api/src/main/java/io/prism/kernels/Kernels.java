package io.prism.kernels;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The operations of a decoder layer on batches of rows. Activations are F32, row-major in plain arrays and owned by the
 * caller.
 *
 * <p><b>Row independence.</b> In every operation, the result of a row depends on that row alone, bit for bit: not on
 * the number of rows, their order, or the number of threads.
 *
 * <p>Thread-safe: any number of callers may compute at once with their own arrays. Once warm, no operation but
 * {@link #pack} allocates.
 */
public interface Kernels extends AutoCloseable {

    /** For people: what computes, for instance {@code "vector (512 bit, 2 threads)"}. */
    String description();

    /** Threads an operation may use, the caller's included. */
    int threads();

    /**
     * Makes matrices ready for {@link #multiply}, stacked: outputs of the first come first. All must have the same
     * number of columns and the same precision.
     *
     * @throws IllegalArgumentException if columns or precisions differ
     */
    PackedMatrix pack(List<Matrix> stacked, Packing packing);

    /**
     * y = x W^T for {@code rows} rows.
     *
     * @param w weights, [outputs, inputs]
     * @param x [rows, inputs] from {@code xOffset}, dense
     * @param y receives [rows, outputs] from {@code yOffset}, dense
     */
    void multiply(PackedMatrix w, float[] x, int xOffset, int rows, float[] y, int yOffset);

    /**
     * Makes a matrix ready for {@link #argmaxOfProduct}.
     *
     * @param packed what {@link #pack} made of {@code source} alone; has to outlive the result
     * @param source may be released afterwards
     * @return empty if these kernels would not be faster than with {@link #multiply} and {@link #argmax}
     */
    default Optional<ArgmaxMatrix> packForArgmax(PackedMatrix packed, Matrix source) {
        return Optional.empty();
    }

    /**
     * Finds for each row the {@link #argmax} of its outputs and what is added to them, the same as if {@link #multiply} had
     * computed them all, while most outputs are only estimated.
     *
     * @param w what {@link #packForArgmax} made
     * @param x [rows, inputs] from {@code xOffset}, dense
     * @param rows at most {@link ArgmaxMatrix#mostRows()}
     * @param added to the outputs, [rows, outputs] from 0; null for nothing
     * @param indices receives the rows' largest outputs, from 0
     * @return whether all were found; if not, because outputs are not finite or too many are alike, nothing is known of
     *     any row
     */
    default boolean argmaxOfProduct(
            ArgmaxMatrix w, float[] x, int xOffset, int rows, float @Nullable [] added, int[] indices) {
        throw new IllegalArgumentException("These kernels have packed no matrix for argmax");
    }

    /**
     * y = x / sqrt(mean(x^2) + epsilon) * weight, row by row. {@code y} may be {@code x}.
     *
     * @param x [rows, width] from {@code xOffset}
     * @param weight [width]
     */
    void rmsNorm(float[] x, int xOffset, float[] weight, float epsilon, int rows, int width, float[] y, int yOffset);

    /**
     * Rotates queries and keys by their positions and stores keys and values in the cache.
     *
     * @param qkv [layout.rows(), shape.qkvWidth()], rows {@code [q | k | v]}; q is rotated in place
     */
    void rotateAndStore(AttentionLayout layout, AttentionShape shape, RotaryTable rotary, int layer, float[] qkv);

    /**
     * Softmax attention of every row over the slots it sees, with everything needed already stored.
     *
     * @param qkv [layout.rows(), shape.qkvWidth()], only q is read
     * @param out receives [layout.rows(), shape.queryWidth()]
     */
    void attention(AttentionLayout layout, AttentionShape shape, int layer, float[] qkv, float[] out);

    /**
     * out = activation(gate) * up.
     *
     * @param gateUp [rows, 2 width], rows {@code [gate | up]}
     * @param out receives [rows, width]
     */
    void gate(Activation activation, float[] gateUp, int rows, int width, float[] out);

    /** y += factor * x, elementwise over {@code length} elements. */
    void addScaled(float[] x, int xOffset, float factor, float[] y, int yOffset, int length);

    /** Adds {@code bias} [width] to each of {@code rows} rows of y, {@code stride} elements apart. */
    void addBias(float[] bias, float[] y, int yOffset, int rows, int width, int stride);

    /** x = softCap * tanh(x / softCap), elementwise over {@code length} elements. */
    void softCap(float[] x, int offset, int length, float softCap);

    /** Index (from 0) of the largest element, the first of equals. NaN is never chosen unless all are NaN: then -1. */
    int argmax(float[] x, int offset, int length);

    /** log(sum(exp(x / temperature))), computed without overflow. {@code temperature} is positive. */
    float logSumExp(float[] x, int offset, int length, float temperature);

    /**
     * y = softmax(x / temperature).
     *
     * @param temperature positive
     */
    void softmax(float[] x, int offset, int length, float temperature, float[] y, int yOffset);

    /**
     * The k largest elements in falling order, the lower index first among equals; NaN counts as negative infinity.
     *
     * @param indices receives k indices, from 0
     * @param values receives the k elements
     */
    void topK(float[] x, int offset, int length, int k, int[] indices, float[] values);

    /**
     * Noise by which tokens are drawn.
     *
     * @param key of the draw
     * @param ids tokens; null for 0 to {@code length} - 1
     * @param factor of the noise, not negative
     * @param y receives factor {@link GumbelNoise#of} of each token, [length] from {@code yOffset}
     */
    void gumbelNoise(long key, int @Nullable [] ids, int length, float factor, float[] y, int yOffset);

    /**
     * Draws an index from softmax(x / temperature) by the Gumbel-max trick: the {@link #argmax} of x + noise. Minus infinity is
     * never drawn.
     *
     * @param noise from {@link #gumbelNoise}, times the temperature, [length] from 0; is overwritten
     * @return -1 if that is no distribution: NaN or positive infinity is among the elements, or nothing finite
     */
    int draw(float[] x, int offset, int length, float[] noise);

    /** Releases threads and memory. Packed matrices are closed by their owners. */
    @Override
    void close();
}
