package io.prism.verify;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Temperature, top-k and top-p in double precision, as their definitions read. */
public final class ReferenceDistribution {
    private ReferenceDistribution() {}

    /** Probabilities by token. */
    public static double[] of(float[] logits, SamplingParameters parameters) {
        int n = logits.length;
        double[] weights = new double[n];
        double max = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            max = Math.max(max, logit);
        }
        for (int i = 0; i < n; i++) {
            weights[i] = Math.exp((logits[i] - max) / parameters.temperature());
        }
        List<Integer> order = IntStream.range(0, n)
                .boxed()
                .sorted(Comparator.<Integer>comparingDouble(i -> -logits[i]).thenComparingInt(i -> i))
                .toList();
        int kept = parameters.topK() == 0 ? n : Math.min(n, parameters.topK());
        double mass =
                order.subList(0, kept).stream().mapToDouble(i -> weights[i]).sum();
        double sum = 0;
        int nucleus = 0;
        while (nucleus < kept && (nucleus == 0 || sum < parameters.topP() * mass)) {
            sum += weights[order.get(nucleus++)];
        }
        if (parameters.topP() == 1) {
            nucleus = kept;
            sum = mass;
        }
        double[] probabilities = new double[n];
        for (int i = 0; i < nucleus; i++) {
            probabilities[order.get(i)] = weights[order.get(i)] / sum;
        }
        return probabilities;
    }
}
