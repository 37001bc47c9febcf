package io.prism.cli.bench;

import io.prism.cli.bench.PromptFitter.Fitted;
import io.prism.cli.model.Contender;
import io.prism.cli.model.Decoded;
import io.prism.spi.HostedModel;
import io.prism.verify.SamplingParameters;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Runs every contender on every prompt, interleaved: all contenders answer a prompt before the next prompt comes, in an
 * order that changes from prompt to prompt, so that a machine that grows slower or faster meanwhile favours none. On a
 * machine that others use too they can answer side by side: see {@link TakingTurns}.
 *
 * <p>A question of several turns is a conversation. It goes on from the answer of plain decoding, so that every contender
 * gets the same prompts.
 */
public final class BenchRunner {
    private final BenchPlan plan;
    private final List<Contender> contenders;
    private final PromptFitter fitter;
    private int shortened;

    public BenchRunner(HostedModel model, BenchPlan plan) {
        this.plan = plan;
        this.contenders = new ArrayList<>(List.of(plan.plain()));
        this.contenders.addAll(plan.others());
        this.fitter = new PromptFitter(model, plan.maxNewTokens());
    }

    /** Questions that were too long for the context and lost their beginning. */
    public int shortened() {
        return shortened;
    }

    /** @param onQuestion told of each question that is done */
    public List<SetResult> run(Consumer<Question> onQuestion) {
        List<SetResult> results = new ArrayList<>();
        for (SamplingParameters sampling : plan.samplings()) {
            for (QuestionSet set : plan.sets()) {
                results.addAll(run(set, sampling, onQuestion));
            }
        }
        return results;
    }

    private List<SetResult> run(QuestionSet set, SamplingParameters sampling, Consumer<Question> onQuestion) {
        Map<Contender, List<Measurement>> measured = new HashMap<>();
        contenders.forEach(contender -> measured.put(contender, new ArrayList<>()));
        for (int i = 0; i < set.questions().size(); i++) {
            Question question = set.questions().get(i);
            Map<Contender, Measurement> answers = answer(question, i, sampling);
            answers.forEach((contender, answer) -> measured.get(contender).add(answer));
            onQuestion.accept(question);
        }
        List<Measurement> stock = contenders.stream()
                .filter(Contender.Stock.class::isInstance)
                .map(measured::get)
                .findFirst()
                .orElse(List.of());
        return contenders.stream()
                .map(contender -> new SetResult(
                        set.name(), contender, sampling, measured.get(contender), measured.get(plan.plain()), stock))
                .toList();
    }

    private Map<Contender, Measurement> answer(Question question, int index, SamplingParameters sampling) {
        Map<Contender, Measurement> sums = new HashMap<>();
        Map<Contender, Boolean> equal = new HashMap<>();
        List<String> conversation = new ArrayList<>();
        boolean cut = false;
        for (String turn : question.turns()) {
            conversation.add(turn);
            Fitted fitted = fitter.fit(conversation);
            cut |= fitted.shortened();
            Map<Contender, Decoded> answers = answer(fitted, index, sampling);
            Decoded plain = answers.get(plan.plain());
            answers.forEach((contender, answer) -> {
                sums.merge(contender, Measurement.ofAnswer(answer), Measurement::plus);
                equal.merge(contender, sameAnswer(contender, answer, plain), Boolean::logicalAnd);
            });
            conversation.add(plain.text());
        }
        shortened += cut ? 1 : 0;
        sums.replaceAll((contender, sum) -> sum.asQuestion(equal.get(contender)));
        return sums;
    }

    private Map<Contender, Decoded> answer(Fitted fitted, int index, SamplingParameters sampling) {
        Map<Contender, List<Decoded>> runs = new HashMap<>();
        for (int repeat = 0; repeat < plan.repeats(); repeat++) {
            int first = index + repeat;
            List<Contender> order = IntStream.range(0, contenders.size())
                    .mapToObj(k -> contenders.get((first + k) % contenders.size()))
                    .toList();
            List<TakingTurns.Answer<Decoded>> answers = order.stream()
                    .map(contender -> (TakingTurns.Answer<Decoded>) onText ->
                            contender.run(fitted.prompt(), plan.maxNewTokens(), sampling, plan.seed() + index, onText))
                    .toList();
            List<Decoded> made = plan.takingTurns()
                    ? TakingTurns.make(answers)
                    : answers.stream().map(answer -> answer.make(text -> {})).toList();
            for (int k = 0; k < made.size(); k++) {
                runs.computeIfAbsent(order.get(k), key -> new ArrayList<>()).add(made.get(k));
            }
        }
        Map<Contender, Decoded> answers = new HashMap<>();
        runs.forEach((contender, all) -> answers.put(
                contender,
                Medians.elementOf(
                        all, run -> run.passTokens() == 0 ? 0 : (double) run.decodeNanos() / run.passTokens())));
        return answers;
    }

    /** Token by token where tokens are known; stock decoding tells its text only. */
    private static boolean sameAnswer(Contender contender, Decoded answer, Decoded plain) {
        return contender instanceof Contender.Stock
                ? answer.text().equals(plain.text())
                : Arrays.equals(answer.tokens(), plain.tokens());
    }
}
