package io.prism.training.network;

import io.prism.drafter.format.StoredTensor;
import io.prism.spi.TargetArchitecture;
import io.prism.training.plan.ModelPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * PRISM's drafter as inference runs it, one position after the other in doubles: an extend pass over the accepted
 * prefix, then one draft token per step. Written from the paper, without regard to how training computes it.
 */
final class ReferenceDrafter {
    private final TargetArchitecture target;
    private final ModelPlan plan;
    private final Map<String, StoredTensor> weights;
    private final boolean currentModuleWritesAll;

    /** @param currentModuleWritesAll whether all keys and values are recomputed by the module that reads them */
    ReferenceDrafter(
            TargetArchitecture target,
            ModelPlan plan,
            Map<String, StoredTensor> weights,
            boolean currentModuleWritesAll) {
        this.target = target;
        this.plan = plan;
        this.weights = weights;
        this.currentModuleWritesAll = currentModuleWritesAll;
    }

    /**
     * Drafts {@code steps} tokens after accepted position {@code last}, given the tokens that are drafted.
     *
     * @param embedded embedding of token i+1 at index i
     * @param context the first step's hidden input at index i
     * @return the output of every step
     */
    List<double[]> draft(double[][] embedded, double[][] context, int last, int steps) {
        List<double[]> inputs = new ArrayList<>();
        for (int i = 0; i <= last; i++) {
            inputs.add(context[i]);
        }
        List<double[]> outputs = new ArrayList<>();
        for (int step = 1; step <= steps; step++) {
            int position = last + step - 1;
            if (step > 1) {
                inputs.add(outputs.getLast());
            }
            int module = plan.moduleOf(step);
            double[] fused = fuse(module, embedded[position], inputs.get(position));
            outputs.add(layer(module, fused, position, last, embedded, inputs));
        }
        return outputs;
    }

    private double[] layer(
            int module, double[] fused, int position, int last, double[][] embedded, List<double[]> inputs) {
        int heads = target.attention().heads();
        int kvHeads = target.attention().kvHeads();
        int size = target.attention().headSize();
        double[] query = rotate(multiply(module, "self_attn.q_proj.weight", fused), heads, position);
        double[][] keys = new double[position + 1][];
        double[][] values = new double[position + 1][];
        for (int p = 0; p <= position; p++) {
            int writer = currentModuleWritesAll ? module : plan.moduleOf(p <= last ? 1 : p - last + 1);
            double[] x = fuse(writer, embedded[p], inputs.get(p));
            keys[p] = rotate(multiply(writer, "self_attn.k_proj.weight", x), kvHeads, p);
            values[p] = multiply(writer, "self_attn.v_proj.weight", x);
        }
        double[] attended = new double[heads * size];
        for (int head = 0; head < heads; head++) {
            int kv = head / (heads / kvHeads) * size;
            double[] scores = new double[position + 1];
            double sum = 0;
            for (int p = 0; p <= position; p++) {
                for (int e = 0; e < size; e++) {
                    scores[p] += query[head * size + e] * keys[p][kv + e];
                }
                scores[p] = Math.exp(scores[p] * target.attention().scale());
                sum += scores[p];
            }
            for (int p = 0; p <= position; p++) {
                for (int e = 0; e < size; e++) {
                    attended[head * size + e] += scores[p] / sum * values[p][kv + e];
                }
            }
        }
        double[] state = add(fused, multiply(module, "self_attn.o_proj.weight", attended));
        double[] normed = norm(state, weight(module, "post_attention_layernorm.weight"));
        double[] gate = multiply(module, "mlp.gate_proj.weight", normed);
        double[] up = multiply(module, "mlp.up_proj.weight", normed);
        for (int i = 0; i < gate.length; i++) {
            gate[i] = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
        }
        return add(state, multiply(module, "mlp.down_proj.weight", gate));
    }

    private double[] fuse(int module, double[] embedded, double[] hidden) {
        double[] both = new double[embedded.length + hidden.length];
        System.arraycopy(embedded, 0, both, 0, embedded.length);
        System.arraycopy(hidden, 0, both, embedded.length, hidden.length);
        double[] fused = multiply(module, "fusion.weight", both);
        StoredTensor bias = weights.get("modules." + module + ".fusion.bias");
        if (bias != null) {
            for (int i = 0; i < fused.length; i++) {
                fused[i] += bias.floats()[i];
            }
        }
        return fused;
    }

    private double[] rotate(double[] x, int heads, int position) {
        int size = target.attention().headSize();
        double[] rotated = new double[x.length];
        for (int head = 0; head < heads; head++) {
            for (int i = 0; i < size / 2; i++) {
                double cosine = target.rotary().cosines()[position * size / 2 + i];
                double sine = target.rotary().sines()[position * size / 2 + i];
                int low = head * size + i;
                int high = low + size / 2;
                rotated[low] = x[low] * cosine - x[high] * sine;
                rotated[high] = x[high] * cosine + x[low] * sine;
            }
        }
        return rotated;
    }

    private double[] norm(double[] x, float[] weight) {
        double square = 0;
        for (double value : x) {
            square += value * value;
        }
        double factor = 1 / Math.sqrt(square / x.length + target.epsilon());
        double[] normed = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            normed[i] = x[i] * factor * weight[i];
        }
        return normed;
    }

    private double[] multiply(int module, String name, double[] x) {
        float[] matrix = weight(module, name);
        double[] y = new double[matrix.length / x.length];
        for (int row = 0; row < y.length; row++) {
            for (int column = 0; column < x.length; column++) {
                y[row] += matrix[row * x.length + column] * x[column];
            }
        }
        return y;
    }

    private float[] weight(int module, String name) {
        return weights.get("modules." + module + "." + name).floats();
    }

    private static double[] add(double[] a, double[] b) {
        double[] sum = new double[a.length];
        for (int i = 0; i < a.length; i++) {
            sum[i] = a[i] + b[i];
        }
        return sum;
    }
}
