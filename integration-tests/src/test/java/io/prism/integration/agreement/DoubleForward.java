package io.prism.integration.agreement;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.safetensors.Config;
import com.github.tjake.jlama.tensor.AbstractTensor;
import java.util.stream.IntStream;

/**
 * The forward pass of a Llama model in double precision, written as plainly as possible from the model's published
 * definition: what both engines are compared with. Weights are taken as they are stored.
 */
final class DoubleForward {
    private final Config config;
    private final double theta;
    private final double[][] embedding;
    private final Layer[] layers;
    private final double[] finalNorm;
    private final double[][] headByInput;

    /** Projections are kept [input][output], so that the inner loop runs over independent sums. */
    private record Layer(
            double[] attentionNorm,
            double[][] query,
            double[][] key,
            double[][] value,
            double[][] output,
            double[] mlpNorm,
            double[][] gate,
            double[][] up,
            double[][] down) {}

    /**
     * @param model a LLAMA model without biases
     * @param theta base of the rotary positions
     */
    DoubleForward(AbstractModel model, double theta) {
        this.config = model.getConfig();
        this.theta = theta;
        this.embedding = rows(model.getWeights().load("model.embed_tokens.weight"));
        this.layers = new Layer[config.numberOfLayers];
        for (int i = 0; i < layers.length; i++) {
            String base = "model.layers." + i + ".";
            layers[i] = new Layer(
                    vector(model, base + "input_layernorm.weight"),
                    byInput(model, base + "self_attn.q_proj.weight"),
                    byInput(model, base + "self_attn.k_proj.weight"),
                    byInput(model, base + "self_attn.v_proj.weight"),
                    byInput(model, base + "self_attn.o_proj.weight"),
                    vector(model, base + "post_attention_layernorm.weight"),
                    byInput(model, base + "mlp.gate_proj.weight"),
                    byInput(model, base + "mlp.up_proj.weight"),
                    byInput(model, base + "mlp.down_proj.weight"));
        }
        this.finalNorm = vector(model, "model.norm.weight");
        this.headByInput = byInput(
                model,
                model.getWeights().isWeightPresent("lm_head.weight") ? "lm_head.weight" : "model.embed_tokens.weight");
    }

    /** Logits after each token, [tokens][vocabulary]. */
    double[][] logits(int[] tokens) {
        double[][] x = new double[tokens.length][];
        for (int i = 0; i < tokens.length; i++) {
            x[i] = embedding[tokens[i]].clone();
        }
        for (Layer layer : layers) {
            double[][] normed = norm(x, layer.attentionNorm());
            double[][] query = rotated(multiply(normed, layer.query()));
            double[][] key = rotated(multiply(normed, layer.key()));
            double[][] value = multiply(normed, layer.value());
            add(x, multiply(attention(query, key, value), layer.output()));
            normed = norm(x, layer.mlpNorm());
            double[][] gate = multiply(normed, layer.gate());
            double[][] up = multiply(normed, layer.up());
            for (int row = 0; row < gate.length; row++) {
                for (int i = 0; i < gate[row].length; i++) {
                    gate[row][i] = gate[row][i] / (1 + Math.exp(-gate[row][i])) * up[row][i];
                }
            }
            add(x, multiply(gate, layer.down()));
        }
        return multiply(norm(x, finalNorm), headByInput);
    }

    private double[][] norm(double[][] x, double[] weights) {
        double[][] result = new double[x.length][weights.length];
        for (int row = 0; row < x.length; row++) {
            double squares = 0;
            for (double value : x[row]) {
                squares += value * value;
            }
            double scale = 1 / Math.sqrt(squares / weights.length + config.layerNormEps);
            for (int i = 0; i < weights.length; i++) {
                result[row][i] = x[row][i] * scale * weights[i];
            }
        }
        return result;
    }

    private double[][] rotated(double[][] heads) {
        int half = config.headSize / 2;
        for (int position = 0; position < heads.length; position++) {
            double[] row = heads[position];
            for (int head = 0; head < row.length; head += config.headSize) {
                for (int i = 0; i < half; i++) {
                    double angle = position / Math.pow(theta, 2.0 * i / config.headSize);
                    double first = row[head + i];
                    double second = row[head + i + half];
                    row[head + i] = first * Math.cos(angle) - second * Math.sin(angle);
                    row[head + i + half] = first * Math.sin(angle) + second * Math.cos(angle);
                }
            }
        }
        return heads;
    }

    private double[][] attention(double[][] query, double[][] key, double[][] value) {
        int size = config.headSize;
        double[][] result = new double[query.length][query[0].length];
        IntStream.range(0, query.length).parallel().forEach(row -> {
            double[] scores = new double[row + 1];
            for (int head = 0; head < config.numberOfHeads; head++) {
                int shared = head / config.headGroupSize * size;
                double sum = 0;
                for (int seen = 0; seen <= row; seen++) {
                    double dot = 0;
                    for (int i = 0; i < size; i++) {
                        dot += query[row][head * size + i] * key[seen][shared + i];
                    }
                    scores[seen] = Math.exp(dot / Math.sqrt(size));
                    sum += scores[seen];
                }
                for (int seen = 0; seen <= row; seen++) {
                    for (int i = 0; i < size; i++) {
                        result[row][head * size + i] += scores[seen] / sum * value[seen][shared + i];
                    }
                }
            }
        });
        return result;
    }

    private static double[][] multiply(double[][] x, double[][] byInput) {
        double[][] result = new double[x.length][byInput[0].length];
        IntStream.range(0, x.length).parallel().forEach(row -> {
            double[] sums = result[row];
            for (int input = 0; input < byInput.length; input++) {
                double factor = x[row][input];
                double[] weights = byInput[input];
                for (int output = 0; output < sums.length; output++) {
                    sums[output] += factor * weights[output];
                }
            }
        });
        return result;
    }

    private static void add(double[][] x, double[][] delta) {
        for (int row = 0; row < x.length; row++) {
            for (int i = 0; i < x[row].length; i++) {
                x[row][i] += delta[row][i];
            }
        }
    }

    private static double[] vector(AbstractModel model, String name) {
        return rows(model.getWeights().load(name))[0];
    }

    private static double[][] byInput(AbstractModel model, String name) {
        double[][] rows = rows(model.getWeights().load(name));
        double[][] transposed = new double[rows[0].length][rows.length];
        for (int row = 0; row < rows.length; row++) {
            for (int column = 0; column < rows[row].length; column++) {
                transposed[column][row] = rows[row][column];
            }
        }
        return transposed;
    }

    private static double[][] rows(AbstractTensor<?, ?> tensor) {
        double[][] rows = new double[tensor.shape().first()][tensor.shape().last()];
        for (int row = 0; row < rows.length; row++) {
            for (int column = 0; column < rows[row].length; column++) {
                rows[row][column] = tensor.get(row, column);
            }
        }
        return rows;
    }
}
