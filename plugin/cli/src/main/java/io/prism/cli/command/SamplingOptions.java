package io.prism.cli.command;

import io.prism.config.PrismConfig;
import io.prism.verify.SamplingParameters;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How tokens are chosen. What is not given here is taken from the flags. */
final class SamplingOptions {

    @Option(names = "--top-p", paramLabel = "P", description = "Sample from the fewest tokens that reach this sum.")
    private @Nullable Float topP;

    @Option(names = "--top-k", paramLabel = "K", description = "Sample from this many most probable tokens.")
    private @Nullable Integer topK;

    @Option(names = "--seed", paramLabel = "N", description = "Same seed, same text.")
    private @Nullable Long seed;

    SamplingParameters parameters(float temperature, PrismConfig config) {
        return new SamplingParameters(
                temperature,
                topP != null ? topP : config.topP().orElse(1f),
                topK != null ? topK : config.topK().orElse(0));
    }

    OptionalLong seed(PrismConfig config) {
        return seed != null ? OptionalLong.of(seed) : config.seed();
    }
}
