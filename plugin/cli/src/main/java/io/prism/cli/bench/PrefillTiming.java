package io.prism.cli.bench;

import io.prism.cli.model.Contender;
import io.prism.spi.HostedModel;
import io.prism.spi.HostedModel.Prompt;
import io.prism.spi.PrismException;
import io.prism.verify.SamplingParameters;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Times prompts alone: one token is generated, the time after it left out. */
public final class PrefillTiming {
    private static final int REPEATS = 5;

    /** Time of a contender's prompts after which it is not repeated again: stock may take minutes for one. */
    private static final double PATIENCE_NANOS = 60e9;

    private final HostedModel model;
    private final String text;

    /** @param sets where the prompt's text is taken from */
    public PrefillTiming(HostedModel model, List<QuestionSet> sets) {
        this.model = model;
        this.text = sets.stream()
                .flatMap(set -> set.questions().stream())
                .flatMap(question -> question.turns().stream())
                .collect(Collectors.joining("\n"));
    }

    /**
     * Runs the contenders interleaved: once for the compiler, then five times, or fewer where they take minutes, but at
     * least once.
     *
     * @param tokens length of the prompt; it may come out a few tokens shorter, as it is cut between characters
     * @throws PrismException if such a prompt does not fit
     */
    public List<BenchReport.Prefill> run(int tokens, List<? extends Contender> contenders) {
        Prompt prompt = promptOf(tokens);
        List<List<Double>> nanos = new ArrayList<>();
        contenders.forEach(contender -> nanos.add(new ArrayList<>()));
        double[] spent = new double[contenders.size()];
        for (int repeat = 0; repeat <= REPEATS; repeat++) {
            for (int k = 0; k < contenders.size(); k++) {
                if (spent[k] > PATIENCE_NANOS && repeat > 1) {
                    continue;
                }
                double time = contenders
                        .get(k)
                        .run(prompt, 1, SamplingParameters.GREEDY, 0, piece -> {})
                        .promptNanos();
                spent[k] += time;
                if (repeat > 0) { // the first is for the compiler
                    nanos.get(k).add(time);
                }
            }
        }
        List<BenchReport.Prefill> results = new ArrayList<>();
        for (int k = 0; k < contenders.size(); k++) {
            double median = Medians.of(
                    nanos.get(k).stream().mapToDouble(Double::doubleValue).toArray());
            String engine = contenders.get(k) instanceof Contender.Stock
                    ? model.stockEngine()
                    : model.target().engine();
            results.add(new BenchReport.Prefill(
                    prompt.tokens().length, engine, Math.rint(prompt.tokens().length * 1e10 / median) / 10));
        }
        return results;
    }

    private Prompt promptOf(int tokens) {
        int context = model.target().description().contextLength();
        if (tokens >= context) {
            throw new PrismException("A prompt of " + tokens + " tokens does not fit " + model.name()
                    + ", whose context is " + context + " tokens: give a smaller --prefill.");
        }
        StringBuilder enough = new StringBuilder(text);
        while (model.prompt(List.of(enough.toString())).tokens().length < tokens) {
            enough.append('\n').append(text);
        }
        int least = 0;
        int most = enough.length();
        while (least < most) {
            int end = (least + most + 1) >>> 1;
            if (model.prompt(List.of(enough.substring(0, end))).tokens().length <= tokens) {
                least = end;
            } else {
                most = end - 1;
            }
        }
        return model.prompt(List.of(enough.substring(0, least)));
    }
}
