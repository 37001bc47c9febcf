package io.prism.cli.model;

import io.prism.spi.HostedModel.Prompt;
import io.prism.verify.SamplingParameters;
import java.time.Duration;
import java.util.List;

/** Runs contenders until the JVM has compiled them, so that what is measured later is not the compiler. */
public record Warmup(Duration perContender, int maxNewTokens) {
    private static final int LEAST_RUNS = 2;

    /** Lets each contender generate from the prompts in turn until its time is up, at least twice. */
    public void run(List<? extends Contender> contenders, List<Prompt> prompts, SamplingParameters sampling) {
        for (Contender contender : contenders) {
            long end = System.nanoTime() + perContender.toNanos();
            for (int run = 0; run < LEAST_RUNS || System.nanoTime() < end; run++) {
                contender.run(prompts.get(run % prompts.size()), maxNewTokens, sampling, run, text -> {});
            }
        }
    }
}
