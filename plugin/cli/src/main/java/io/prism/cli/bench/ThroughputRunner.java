package io.prism.cli.bench;

import io.prism.cli.model.Contender;
import io.prism.cli.model.Decoded;
import io.prism.decode.BatchStatistics;
import io.prism.spi.HostedModel.Prompt;
import io.prism.spi.PrismException;
import io.prism.verify.SamplingParameters;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * Keeps some requests running at a time for a while, each thread asking the next question as soon as it has its answer,
 * and counts the tokens that come. Greedy. Runs of all contenders are interleaved, so that a machine that grows slower or
 * faster meanwhile favours none.
 *
 * <p>Stock decoding takes one request at a time whatever is asked of it, so it is measured with one.
 */
public final class ThroughputRunner {
    /** Share of the time that passes before the clock runs, so that requests have got out of step as they do in use. */
    private static final double WARM_UP = 0.2;

    private final ThroughputPlan plan;
    private final List<Decoded> alone = new ArrayList<>();

    public ThroughputRunner(ThroughputPlan plan) {
        this.plan = plan;
    }

    /**
     * @param onRun told of each run that is done
     * @return in the order of the numbers of requests, contenders in the order of the plan
     */
    public List<Throughput> run(Runnable onRun) {
        for (Prompt prompt : plan.prompts()) {
            alone.add(plan.plain().run(prompt, plan.maxNewTokens(), SamplingParameters.GREEDY, 0, text -> {}));
        }
        Map<List<Object>, List<Throughput>> runs = new LinkedHashMap<>();
        List<Contender> contenders = new ArrayList<>(plan.others());
        contenders.addFirst(plan.plain());
        for (int repeat = 0; repeat < plan.repeats(); repeat++) {
            for (int sessions : plan.sessions()) {
                for (Contender contender : contenders) {
                    boolean serial = contender instanceof Contender.Stock;
                    if (!serial || sessions == plan.sessions().getFirst()) {
                        runs.computeIfAbsent(List.of(contender, sessions), key -> new ArrayList<>())
                                .add(run(contender, serial ? 1 : sessions));
                        onRun.run();
                    }
                }
            }
        }
        return runs.values().stream()
                .map(all -> Medians.elementOf(all, Throughput::tokensPerSecond))
                .toList();
    }

    private Throughput run(Contender contender, int sessions) {
        Run run = new Run(contender);
        try (ExecutorService threads = Executors.newFixedThreadPool(sessions)) {
            List<Future<?>> workers = new ArrayList<>();
            for (int i = 0; i < sessions; i++) {
                workers.add(threads.submit(run::ask));
            }
            for (Future<?> worker : workers) {
                worker.get();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PrismException("Interrupted while measuring " + sessions + " requests at a time", e);
        } catch (ExecutionException e) {
            throw new PrismException("A request failed with " + sessions + " at a time: " + e.getCause(), e);
        }
        return run.result(sessions);
    }

    /** One run, shared by its threads. */
    private final class Run {
        private final Contender contender;
        private final long begin = System.nanoTime();
        private final long from = begin + (long) (WARM_UP * plan.time().toNanos());
        private final long until = begin + plan.time().toNanos();
        private final BatchStatistics before;
        private final AtomicInteger asked = new AtomicInteger();
        private final LongAdder tokens = new LongAdder();
        private final AtomicInteger answers = new AtomicInteger();
        private final AtomicInteger equal = new AtomicInteger();
        private final LongAdder passTokens = new LongAdder();
        private final LongAdder rounds = new LongAdder();
        private volatile long last = from;

        Run(Contender contender) {
            this.contender = contender;
            this.before = batches();
        }

        private BatchStatistics batches() {
            return contender instanceof Contender.Ours ours ? ours.decoder().batches() : new BatchStatistics(0, 0, 0);
        }

        void ask() {
            while (System.nanoTime() < until) {
                int question = asked.getAndIncrement() % plan.prompts().size();
                try {
                    Decoded answer = contender.run(
                            plan.prompts().get(question),
                            plan.maxNewTokens(),
                            SamplingParameters.GREEDY,
                            0,
                            text -> onToken());
                    answered(answer, alone.get(question));
                } catch (CancellationException timeIsUp) {
                    return;
                }
            }
        }

        /** Stock decoding can't be cancelled: its clock runs on to the end of the answer. */
        private void onToken() {
            long now = System.nanoTime();
            boolean stock = contender instanceof Contender.Stock;
            if (now >= until && !stock) {
                throw new CancellationException();
            }
            if (now >= from) {
                tokens.increment();
                if (stock) {
                    last = now;
                }
            }
        }

        private void answered(Decoded answer, Decoded expected) {
            answers.incrementAndGet();
            boolean same = contender instanceof Contender.Stock
                    ? answer.text().equals(expected.text())
                    : Arrays.equals(answer.tokens(), expected.tokens());
            equal.addAndGet(same ? 1 : 0);
            passTokens.add(answer.passTokens());
            rounds.add(answer.rounds());
        }

        Throughput result(int sessions) {
            BatchStatistics after = batches();
            long passes = after.passes() - before.passes();
            return new Throughput(
                    contender,
                    sessions,
                    tokens.sum(),
                    Math.max(until, last) - from,
                    answers.get(),
                    equal.get(),
                    passTokens.sum(),
                    rounds.sum(),
                    passes == 0 ? 1 : (double) (after.parts() - before.parts()) / passes);
        }
    }
}
