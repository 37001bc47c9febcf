package io.prism.drafter.prism;

import io.prism.drafter.beam.BeamSearch;
import io.prism.drafter.checkpoint.DrafterConfig;
import io.prism.drafter.checkpoint.LayerKind;
import io.prism.drafter.format.StoredTensor;
import io.prism.testing.LendingTarget;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The draft model as the papers write it, in plain double precision: one row after the other, everything from the
 * beginning for each path.
 */
final class ReferenceDrafter {
    private static final double SHARPNESS = BeamSearch.sharpness(null);

    private static final int D = LendingTarget.HIDDEN;
    private static final int HEAD = LendingTarget.ATTENTION.headSize();
    private static final int HEADS = LendingTarget.ATTENTION.heads();
    private static final int GROUP = HEADS / LendingTarget.ATTENTION.kvHeads();

    private final LendingTarget target;
    private final DrafterConfig config;
    private final Map<String, StoredTensor> tensors;

    ReferenceDrafter(LendingTarget target, DrafterConfig config, Map<String, StoredTensor> tensors) {
        this.target = target;
        this.config = config;
        this.tensors = tensors;
    }

    /**
     * Log-probabilities of the draft vocabulary after a path, as sharp as those of greedy drafts.
     *
     * @param committed the accepted text
     * @param path the root, then draft tokens
     */
    double[] logProbabilities(int[] committed, int length, int... path) {
        List<double[]> keys = new ArrayList<>();
        List<double[]> values = new ArrayList<>();
        double[] output = {};
        for (int position = 0; position < length; position++) {
            int next = position + 1 < length ? committed[position + 1] : path[0];
            output = row(0, next, features(committed, position + 1), position, keys, values);
        }
        for (int step = 1; step < path.length; step++) {
            output = row(step, path[step], output, length + step - 1, keys, values);
        }
        return logSoftmax(head(output));
    }

    /** Draft id of a target token. */
    int draftToken(int token) {
        StoredTensor vocabulary = tensors.get("draft_vocabulary");
        int drafted = token;
        for (int i = 0; vocabulary != null && i < vocabulary.elements(); i++) {
            drafted = vocabulary.integerAt(i) == token ? i : drafted;
        }
        return drafted;
    }

    private double[] features(int[] text, int length) {
        if (!config.multiHidden()) {
            return widen(target.state(text, length, -1));
        }
        double[] joint = new double[3 * D];
        for (int i = 0; i < 3; i++) {
            System.arraycopy(
                    widen(target.state(text, length, config.featureLayers().get(i))), 0, joint, i * D, D);
        }
        return add(multiply("features.weight", joint), vector("features.bias"));
    }

    private double[] row(
            int step, int token, double[] hidden, int position, List<double[]> keys, List<double[]> values) {
        String name = "modules." + config.module(step) + ".";
        double[] embedding = new double[D];
        for (int k = 0; k < D; k++) {
            embedding[k] = target.embedding()[token * D + k];
        }
        double[] residual;
        double[] input;
        if (config.layer() == LayerKind.FUSION) {
            residual = add(multiply(name + "fusion.weight", concat(embedding, hidden)), vector(name + "fusion.bias"));
            input = residual;
        } else {
            residual = hidden;
            input = concat(norm(embedding, name + "input_layernorm.weight"), norm(hidden, name + "hidden_norm.weight"));
        }
        double[] query = rotate(multiply(name + "self_attn.q_proj.weight", input), position);
        keys.add(rotate(multiply(name + "self_attn.k_proj.weight", input), position));
        values.add(multiply(name + "self_attn.v_proj.weight", input));
        double[] attended = new double[query.length];
        for (int head = 0; head < HEADS; head++) {
            attend(query, head, keys, values, attended);
        }
        double[] x = add(residual, multiply(name + "self_attn.o_proj.weight", attended));
        double[] normed = norm(x, name + "post_attention_layernorm.weight");
        double[] gate = multiply(name + "mlp.gate_proj.weight", normed);
        double[] up = multiply(name + "mlp.up_proj.weight", normed);
        for (int i = 0; i < gate.length; i++) {
            gate[i] = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
        }
        return add(x, multiply(name + "mlp.down_proj.weight", gate));
    }

    private static void attend(
            double[] query, int head, List<double[]> keys, List<double[]> values, double[] attended) {
        int kv = head / GROUP * HEAD;
        double[] weights = new double[keys.size()];
        double total = 0;
        double largest = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < weights.length; i++) {
            double score = 0;
            for (int e = 0; e < HEAD; e++) {
                score += query[head * HEAD + e] * keys.get(i)[kv + e];
            }
            weights[i] = score / Math.sqrt(HEAD);
            largest = Math.max(largest, weights[i]);
        }
        for (int i = 0; i < weights.length; i++) {
            weights[i] = Math.exp(weights[i] - largest);
            total += weights[i];
        }
        for (int i = 0; i < weights.length; i++) {
            for (int e = 0; e < HEAD; e++) {
                attended[head * HEAD + e] += weights[i] / total * values.get(i)[kv + e];
            }
        }
    }

    private static double[] rotate(double[] x, int position) {
        double[] rotated = new double[x.length];
        int half = HEAD / 2;
        for (int start = 0; start < x.length; start += HEAD) {
            for (int i = 0; i < half; i++) {
                double angle = position * Math.pow(LendingTarget.THETA, -2.0 * i / HEAD);
                double a = x[start + i];
                double b = x[start + half + i];
                rotated[start + i] = a * Math.cos(angle) - b * Math.sin(angle);
                rotated[start + half + i] = b * Math.cos(angle) + a * Math.sin(angle);
            }
        }
        return rotated;
    }

    private double[] head(double[] output) {
        if (config.layer() == LayerKind.EAGLE3) {
            return multiply("head.weight", norm(output, "norm.weight"));
        }
        StoredTensor vocabulary = tensors.get("draft_vocabulary");
        int rows = vocabulary == null ? LendingTarget.VOCABULARY : (int) vocabulary.elements();
        double[] logits = new double[rows];
        for (int i = 0; i < rows; i++) {
            int token = vocabulary == null ? i : (int) vocabulary.integerAt(i);
            for (int k = 0; k < D; k++) {
                logits[i] += target.head()[token * D + k] * output[k];
            }
        }
        return logits;
    }

    private static double[] logSoftmax(double[] logits) {
        double largest = Double.NEGATIVE_INFINITY;
        for (double logit : logits) {
            largest = Math.max(largest, logit);
        }
        double sum = 0;
        for (double logit : logits) {
            sum += Math.exp(SHARPNESS * (logit - largest));
        }
        double[] result = new double[logits.length];
        for (int i = 0; i < logits.length; i++) {
            result[i] = SHARPNESS * (logits[i] - largest) - Math.log(sum);
        }
        return result;
    }

    private double[] multiply(String name, double[] x) {
        StoredTensor w = tensors.get(name);
        double[] y = new double[w.shape().get(0).intValue()];
        for (int row = 0; row < y.length; row++) {
            for (int k = 0; k < x.length; k++) {
                y[row] += w.floatAt((long) row * x.length + k) * x[k];
            }
        }
        return y;
    }

    private double[] norm(double[] x, String name) {
        double squares = 0;
        for (double value : x) {
            squares += value * value;
        }
        float[] weight = tensors.get(name).floats();
        double[] y = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            y[i] = x[i] / Math.sqrt(squares / x.length + LendingTarget.EPSILON) * weight[i];
        }
        return y;
    }

    private double @Nullable [] vector(String name) {
        StoredTensor tensor = tensors.get(name);
        return tensor == null ? null : widen(tensor.floats());
    }

    private static double[] widen(float[] x) {
        double[] y = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            y[i] = x[i];
        }
        return y;
    }

    private static double[] concat(double[] a, double[] b) {
        double[] joint = new double[a.length + b.length];
        System.arraycopy(a, 0, joint, 0, a.length);
        System.arraycopy(b, 0, joint, a.length, b.length);
        return joint;
    }

    private static double[] add(double[] a, double @Nullable [] b) {
        double[] sum = a.clone();
        for (int i = 0; b != null && i < sum.length; i++) {
            sum[i] += b[i];
        }
        return sum;
    }
}
