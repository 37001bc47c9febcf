package io.prism.training.command;

import io.prism.training.plan.OptimiserKind;
import io.prism.training.plan.OptimiserPlan;
import io.prism.training.run.RunSettings;
import picocli.CommandLine.Option;

/** How a run goes about it. */
final class RunOptions {

    @Option(
            names = "--optimiser",
            paramLabel = "muon|adamw",
            defaultValue = "muon",
            description = "Default: ${DEFAULT-VALUE}, which needs half the tokens; adamw is the paper's.")
    private OptimiserKind optimiser = OptimiserKind.MUON;

    @Option(
            names = "--batch-tokens",
            paramLabel = "N",
            defaultValue = "2048",
            description = "Positions of a batch. Default: ${DEFAULT-VALUE}.")
    private int batchTokens;

    @Option(
            names = "--warm-up",
            paramLabel = "F",
            defaultValue = "0.01",
            description = "Share of a stage with a rising learning rate. Default: ${DEFAULT-VALUE}, the paper's.")
    private double warmUp;

    @Option(
            names = "--beta1",
            paramLabel = "B",
            defaultValue = "0.9",
            description = "AdamW. Default: ${DEFAULT-VALUE}, the paper's.")
    private double beta1;

    @Option(
            names = "--beta2",
            paramLabel = "B",
            defaultValue = "0.95",
            description = "AdamW. Default: ${DEFAULT-VALUE}, the paper's.")
    private double beta2;

    @Option(
            names = "--weight-decay",
            paramLabel = "W",
            defaultValue = "0",
            description = "Of matrices. Default: ${DEFAULT-VALUE}.")
    private double weightDecay;

    @Option(
            names = "--clip",
            paramLabel = "C",
            defaultValue = "0.5",
            description = "Gradients are clipped to this magnitude. Default: ${DEFAULT-VALUE}, the paper's.")
    private double clip;

    @Option(
            names = "--bf16",
            paramLabel = "true|false",
            defaultValue = "false",
            arity = "1",
            description =
                    "Matrix products in BF16, as the paper's; twice as fast on processors that have them. Default: ${DEFAULT-VALUE}.")
    private boolean bf16;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "0",
            description = "Same seed, data and threads, same drafter. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description = "0: one per processor. Default: ${DEFAULT-VALUE}.")
    private int threads;

    @Option(
            names = "--sessions",
            paramLabel = "N",
            defaultValue = "0",
            description =
                    "Conversations the target answers at a time, one thread each; 0: as many as threads. Default: ${DEFAULT-VALUE}.")
    private int sessions;

    @Option(
            names = "--checkpoint-steps",
            paramLabel = "N",
            defaultValue = "200",
            description = "Steps between checkpoints. Default: ${DEFAULT-VALUE}.")
    private int checkpointSteps;

    @Option(
            names = "--validation-steps",
            paramLabel = "N",
            defaultValue = "6",
            description = "Draft steps validated. Default: ${DEFAULT-VALUE}.")
    private int validationSteps;

    @Option(
            names = "--memory-mb",
            paramLabel = "N",
            defaultValue = "1024",
            description = "Memory for hidden states; what is shuffled together. Default: ${DEFAULT-VALUE}.")
    private long memoryMegabytes;

    OptimiserPlan optimiser() {
        return new OptimiserPlan(optimiser, batchTokens, warmUp, beta1, beta2, weightDecay, clip, bf16);
    }

    /** @param width values kept for every position */
    RunSettings settings(int width) {
        return new RunSettings(
                checkpointSteps,
                validationSteps,
                Math.max(1, (memoryMegabytes << 20) / (Short.BYTES * (long) width)),
                threads());
    }

    long seed() {
        return seed;
    }

    int threads() {
        return threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
    }

    int sessions() {
        return sessions > 0 ? sessions : threads();
    }

    long memoryBytes() {
        return memoryMegabytes << 20;
    }

    int batchTokens() {
        return batchTokens;
    }
}
