package io.prism.cli.bench;

import io.prism.cli.model.Contender;
import io.prism.verify.SamplingParameters;
import java.util.List;

/**
 * One contender on one set.
 *
 * @param set the set's name
 * @param byQuestion in the order of the set
 * @param plain the same questions, decoded plainly in the same run
 * @param stock the same questions by stock decoding in the same run; empty if it did not run
 */
public record SetResult(
        String set,
        Contender contender,
        SamplingParameters sampling,
        List<Measurement> byQuestion,
        List<Measurement> plain,
        List<Measurement> stock) {

    public SetResult {
        byQuestion = List.copyOf(byQuestion);
        plain = List.copyOf(plain);
        stock = List.copyOf(stock);
    }

    public Measurement pooled() {
        return pool(byQuestion);
    }

    /** Time per token of plain decoding over ours, each pooled over the set. */
    public double speedupOverPlain() {
        return pool(plain).nanosPerToken() / pooled().nanosPerToken();
    }

    /** The same against stock decoding; NaN if it did not run. */
    public double speedupOverStock() {
        return pool(stock).nanosPerToken() / pooled().nanosPerToken();
    }

    /** The median over questions of a question's own speed-up over plain decoding. */
    public double medianSpeedupOverPlain() {
        double[] ratios = new double[byQuestion.size()];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = plain.get(i).nanosPerToken() / byQuestion.get(i).nanosPerToken();
        }
        return Medians.of(ratios);
    }

    private static Measurement pool(List<Measurement> questions) {
        return questions.stream().reduce(Measurement.NOTHING, Measurement::plus);
    }
}
