package io.prism.cli.bench;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.prism.cli.model.Contender;
import io.prism.spi.HostedModel;
import io.prism.spi.PrismException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Results for machines, written as JSON.
 *
 * @param model folder name or id
 * @param machine what it ran on
 * @param runs one for each set, contender and temperature; left out if throughput was measured
 * @param prefill times of prompts alone; left out if not measured
 * @param throughput with several requests at a time; left out if not measured
 */
public record BenchReport(
        String model,
        String machine,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Run> runs,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Prefill> prefill,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Rate> throughput) {
    private static final double DECIMALS = 1e4;

    public BenchReport {
        runs = List.copyOf(runs);
        prefill = List.copyOf(prefill);
        throughput = List.copyOf(throughput);
    }

    /**
     * @param set the suite file's name without its ending
     * @param drafter {@code stock} is the engine's own decoding, {@code none} plain decoding through our forward pass
     * @param tree as in the flag; empty without drafter
     * @param kernels what our forward pass computes with; for stock, the engine's own
     * @param prompts questions answered; one of several turns counts once
     * @param tokens tokens that came from passes after the prompt's: all but the first of an answer, end tokens included
     * @param rounds passes after the prompt's
     * @param acceptanceLength tokens / rounds
     * @param acceptanceByStep conditional: accepted tokens of a step / rounds in which it was reached
     * @param tokensPerSecond tokens / time of rounds and drafting; the prompt's time left out
     * @param speedupOverStock null if stock did not run
     * @param equalToPlain prompts with the same tokens as plain decoding (stock: the same text); null for stock at a
     *     temperature, as it has no seed
     * @param marginalAcceptanceByStep accepted tokens of a step / rounds whose tree was at least this deep
     * @param repeated8Grams share of runs of 8 tokens that were in the same answer before; null for stock, whose tokens
     *     are not known
     * @param timeShare where the time of rounds and drafting went; null for stock
     */
    @SuppressWarnings("ArrayRecordComponent") // only written out
    public record Run(
            String set,
            String drafter,
            String tree,
            float temperature,
            String kernels,
            int prompts,
            long tokens,
            long rounds,
            double acceptanceLength,
            double[] acceptanceByStep,
            double tokensPerSecond,
            @Nullable Double speedupOverStock,
            double speedupOverPlain,
            @Nullable Integer equalToPlain,
            double[] marginalAcceptanceByStep,
            @Nullable Double repeated8Grams,
            @Nullable TimeShare timeShare) {

        static Run of(SetResult result, String ourKernels, String stockEngine) {
            Measurement pooled = result.pooled();
            boolean isStock = result.contender() instanceof Contender.Stock;
            return new Run(
                    result.set(),
                    result.contender().drafter(),
                    result.contender().tree(),
                    result.sampling().temperature(),
                    isStock ? stockEngine : ourKernels,
                    pooled.questions(),
                    pooled.tokens(),
                    pooled.rounds(),
                    rounded(pooled.acceptanceLength()),
                    rounded(pooled.steps().conditional()),
                    rounded(pooled.nanosPerToken() > 0 ? 1e9 / pooled.nanosPerToken() : 0),
                    result.stock().isEmpty() ? null : rounded(result.speedupOverStock()),
                    rounded(result.speedupOverPlain()),
                    isStock && !result.sampling().isGreedy() ? null : pooled.equal(),
                    rounded(pooled.steps().marginal()),
                    isStock ? null : rounded(pooled.repetition().share()),
                    isStock ? null : TimeShare.of(pooled));
        }

        private static double[] rounded(double[] values) {
            return Arrays.stream(values).map(Run::rounded).toArray();
        }

        static double rounded(double value) {
            return Double.isFinite(value) ? Math.rint(value * DECIMALS) / DECIMALS : 0;
        }
    }

    /** Shares of 1. */
    public record TimeShare(double draft, double verify, double other) {

        static TimeShare of(Measurement measured) {
            return new TimeShare(
                    Run.rounded(measured.draftShare()),
                    Run.rounded(measured.verifyShare()),
                    Run.rounded(measured.otherShare()));
        }
    }

    /**
     * @param promptTokens tokens of the prompt
     * @param engine what stock or our forward pass computes with
     * @param tokensPerSecond median of several runs
     */
    public record Prefill(int promptTokens, String engine, double tokensPerSecond) {}

    /** Results of a run on this machine. */
    public static BenchReport of(HostedModel model, List<SetResult> results, List<Prefill> prefill) {
        String ours = model.target().engine();
        return new BenchReport(
                model.name(),
                Machine.describe(),
                results.stream()
                        .map(result -> Run.of(result, ours, model.stockEngine()))
                        .toList(),
                prefill,
                List.of());
    }

    /**
     * @param requests at a time; 1 for stock decoding, which takes one after the other
     * @param tokensPerSecond of all of them together
     * @param requestsPerPass how many shared a pass, on average
     * @param answers answers that ended
     * @param equalToPlain how many of them have the tokens of plain decoding alone (stock: the text)
     */
    public record Rate(
            String drafter,
            String tree,
            int requests,
            double tokensPerSecond,
            double acceptanceLength,
            double requestsPerPass,
            int answers,
            int equalToPlain) {

        static Rate of(Throughput result) {
            return new Rate(
                    result.contender().drafter(),
                    result.contender().tree(),
                    result.sessions(),
                    Run.rounded(result.tokensPerSecond()),
                    Run.rounded(result.acceptanceLength()),
                    Run.rounded(result.requestsPerPass()),
                    result.answers(),
                    result.equal());
        }
    }

    /** Throughput on this machine. */
    public static BenchReport ofThroughput(HostedModel model, List<Throughput> results) {
        return new BenchReport(
                model.name(),
                Machine.describe(),
                List.of(),
                List.of(),
                results.stream().map(Rate::of).toList());
    }

    /** @throws PrismException if it can't be written */
    public void write(Path file) {
        ObjectMapper json = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
        try {
            Path parent = file.toAbsolutePath().getParent();
            if (parent != null) {
                Files.createDirectories(parent);
            }
            json.writeValue(file.toFile(), this);
        } catch (IOException e) {
            throw new PrismException("Can't write " + file + " (" + e + "): expected a path that can be written.", e);
        }
    }
}
