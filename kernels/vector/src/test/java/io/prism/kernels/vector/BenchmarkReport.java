package io.prism.kernels.vector;

import io.prism.kernels.Precision;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Runs the benchmarks and prints, for each, the floor, the time and their ratio. The floor is the larger of bytes over
 * read bandwidth and operations over multiply-add rate, both measured in the same run.
 *
 * <p>Arguments are JMH's; for instance {@code -p precision=BF16 -p rows=1,8 MatrixPass}.
 */
public final class BenchmarkReport {
    private BenchmarkReport() {}

    /** Runs what {@code arguments} select; the limits of the machine always. */
    public static void main(String[] arguments) throws RunnerException, CommandLineOptionException {
        CommandLineOptions options = new CommandLineOptions(arguments);
        OptionsBuilder builder = new OptionsBuilder();
        builder.parent(options);
        if (!options.getIncludes().isEmpty()) {
            builder.include(MachineLimits.class.getSimpleName());
        }
        builder.mode(Mode.SampleTime)
                .timeUnit(TimeUnit.MILLISECONDS)
                .forks(options.getForkCount().orElse(1))
                .warmupIterations(options.getWarmupIterations().orElse(2))
                .warmupTime(options.getWarmupTime().orElse(TimeValue.seconds(2)))
                .measurementIterations(options.getMeasurementIterations().orElse(3))
                .measurementTime(options.getMeasurementTime().orElse(TimeValue.seconds(1)))
                .jvmArgs("--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED", "-Xmx4g");
        List<RunResult> results = new ArrayList<>(new Runner(builder.build()).run());
        System.out.print(table(results));
    }

    private static String table(List<RunResult> results) {
        Map<String, Double> limits = new HashMap<>();
        for (RunResult result : results) {
            BenchmarkParams params = result.getParams();
            if (params.getBenchmark().endsWith("MachineLimits.read")) {
                limits.put("bytes", Long.parseLong(params.getParam("bytes")) / milliseconds(result));
            } else if (params.getBenchmark().endsWith("MachineLimits.multiplyAdd")) {
                limits.put(
                        "operations",
                        MachineLimits.operations(
                                        Integer.parseInt(params.getParam("threads")),
                                        Integer.parseInt(params.getParam("rounds")))
                                / milliseconds(result));
            }
        }
        double bytesPerMs = limits.getOrDefault("bytes", Double.NaN);
        double operationsPerMs = limits.getOrDefault("operations", Double.NaN);
        StringBuilder out = new StringBuilder(String.format(
                Locale.ROOT,
                "%nread %.1f GB/s, multiply-add %.0f Gflop/s%n%n| | rows | floor ms | ms | ms / floor | Gflop/s |%n|---|---|---|---|---|---|%n",
                bytesPerMs / 1e6,
                operationsPerMs / 1e6));
        results.stream()
                .filter(result -> result.getParams().getParam("rows") != null)
                .sorted(Comparator.comparing(BenchmarkReport::name)
                        .thenComparing(
                                result -> Integer.parseInt(result.getParams().getParam("rows"))))
                .forEach(result -> out.append(line(result, bytesPerMs, operationsPerMs)));
        return out.toString();
    }

    private static String line(RunResult result, double bytesPerMs, double operationsPerMs) {
        BenchmarkParams params = result.getParams();
        String precision = params.getParam("precision");
        Precision stored = precision == null ? Precision.Q4 : Precision.valueOf(precision);
        int rows = Integer.parseInt(params.getParam("rows"));
        int layers = Integer.parseInt(params.getParam("layers"));
        String context = params.getParam("context");
        double bytes;
        double operations;
        if (context == null) {
            long weights = DecoderShape.llama1b(layers).weights();
            bytes = stored.valueBytes(weights) + stored.scaleBytes(weights);
            operations = 2.0 * weights * rows;
        } else {
            bytes = AttentionPass.bytes(Integer.parseInt(context), layers);
            operations = AttentionPass.operations(rows, Integer.parseInt(context), layers);
        }
        double floor = Math.max(bytes / bytesPerMs, operations / operationsPerMs);
        double milliseconds = milliseconds(result);
        return String.format(
                Locale.ROOT,
                "| %s | %d | %.2f | %.2f | %.2f | %.0f |%n",
                name(result),
                rows,
                floor,
                milliseconds,
                milliseconds / floor,
                operations / milliseconds / 1e6);
    }

    private static String name(RunResult result) {
        BenchmarkParams params = result.getParams();
        String precision = params.getParam("precision");
        if (params.getParam("context") != null) {
            return "attention over " + params.getParam("context");
        }
        return precision == null ? "stock Jlama Q4" : precision + " " + params.getParam("packing");
    }

    /** The best, for the limits and for what is held against them: neighbours on the machine only add. */
    private static double milliseconds(RunResult result) {
        return result.getPrimaryResult().getStatistics().getMin();
    }
}
