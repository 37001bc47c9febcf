package io.prism.kernels.vector;

import java.util.List;

/**
 * The weight matrices of a decoder, as the forward pass stacks them.
 *
 * @param width hidden width
 * @param kvWidth width of keys and of values
 * @param mlpWidth width of the gated MLP
 * @param vocabulary outputs of the head
 * @param layers number of layers
 */
record DecoderShape(int width, int kvWidth, int mlpWidth, int vocabulary, int layers) {

    /**
     * A matrix of every layer, or the head.
     *
     * @param outputs stacked outputs
     * @param inputs inputs
     */
    record Product(int outputs, int inputs) {}

    /** Llama-3.2-1B with as many of its 16 layers as fit the purpose. */
    static DecoderShape llama1b(int layers) {
        return new DecoderShape(2048, 512, 8192, 128_256, layers);
    }

    /** Products of one layer: q/k/v, attention output, gate/up, down. */
    List<Product> layerProducts() {
        return List.of(
                new Product(width + 2 * kvWidth, width),
                new Product(width, width),
                new Product(2 * mlpWidth, width),
                new Product(width, mlpWidth));
    }

    /** The product with the head. */
    Product head() {
        return new Product(vocabulary, width);
    }

    /** Weights of all layers and the head. */
    long weights() {
        long layer = layerProducts().stream()
                .mapToLong(product -> (long) product.outputs() * product.inputs())
                .sum();
        return layers * layer + (long) vocabulary * width;
    }
}
