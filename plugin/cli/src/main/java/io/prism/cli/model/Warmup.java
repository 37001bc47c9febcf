package io.prism.cli.model;

import io.prism.spi.HostedModel.Prompt;
import io.prism.verify.SamplingParameters;
import java.time.Duration;
import java.util.List;

/** Runs contenders until the JVM has compiled them, so that what is measured later is not the compiler. */
public record Warmup(Duration perContender, int maxNewTokens) {
    private static final int LEAST_RUNS = 2;

    /**
     * Lets each contender generate from the prompts in turn, from each with every sampling, until its time is up; at least
     * twice, and once with every sampling.
     */
    public void run(List<? extends Contender> contenders, List<Prompt> prompts, List<SamplingParameters> samplings) {
        for (Contender contender : contenders) {
            long end = System.nanoTime() + perContender.toNanos();
            for (int run = 0; run < Math.max(LEAST_RUNS, samplings.size()) || System.nanoTime() < end; run++) {
                Prompt prompt = prompts.get(run / samplings.size() % prompts.size());
                contender.run(prompt, maxNewTokens, samplings.get(run % samplings.size()), run, text -> {});
            }
        }
    }
}
