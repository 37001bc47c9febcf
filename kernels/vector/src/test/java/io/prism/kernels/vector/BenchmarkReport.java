package io.prism.kernels.vector;

import io.prism.kernels.Precision;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
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
 * Runs the benchmarks and prints, for each, the floor, the time and their ratio, of the best calls and of the medians:
 * neighbours on the machine only add. The floor is the larger of bytes over read bandwidth and operations over multiply-add
 * rate, both measured in the same run.
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
        Limits best = Limits.of(results, BenchmarkReport::best);
        Limits usual = Limits.of(results, BenchmarkReport::median);
        StringBuilder out = new StringBuilder(String.format(
                Locale.ROOT,
                "%nbest: read %.1f GB/s, multiply-add %.0f Gflop/s; median: %.1f GB/s, %.0f Gflop/s%n%n"
                        + "| | rows | floor ms | best ms | best / floor | median / median floor | Gflop/s |%n"
                        + "|---|---|---|---|---|---|---|%n",
                best.bytesPerMs / 1e6,
                best.operationsPerMs / 1e6,
                usual.bytesPerMs / 1e6,
                usual.operationsPerMs / 1e6));
        results.stream()
                .filter(result -> result.getParams().getParam("rows") != null)
                .sorted(Comparator.comparing(BenchmarkReport::name)
                        .thenComparing(
                                result -> Integer.parseInt(result.getParams().getParam("rows"))))
                .forEach(result -> out.append(line(result, best, usual)));
        return out.toString();
    }

    /** What the machine did at best, or usually, while the benchmarks ran. */
    private record Limits(double bytesPerMs, double operationsPerMs) {
        static Limits of(List<RunResult> results, ToDoubleFunction<RunResult> milliseconds) {
            double bytes = Double.NaN;
            double operations = Double.NaN;
            for (RunResult result : results) {
                BenchmarkParams params = result.getParams();
                if (params.getBenchmark().endsWith("MachineLimits.read")) {
                    bytes = Long.parseLong(params.getParam("bytes")) / milliseconds.applyAsDouble(result);
                } else if (params.getBenchmark().endsWith("MachineLimits.multiplyAdd")) {
                    int threads = Integer.parseInt(params.getParam("threads"));
                    int rounds = Integer.parseInt(params.getParam("rounds"));
                    operations = MachineLimits.operations(threads, rounds) / milliseconds.applyAsDouble(result);
                }
            }
            return new Limits(bytes, operations);
        }

        double floor(double bytes, double operations) {
            return Math.max(bytes / bytesPerMs, operations / operationsPerMs);
        }
    }

    private static String line(RunResult result, Limits best, Limits usual) {
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
        double floor = best.floor(bytes, operations);
        return String.format(
                Locale.ROOT,
                "| %s | %d | %.2f | %.2f | %.2f | %.2f | %.0f |%n",
                name(result),
                rows,
                floor,
                best(result),
                best(result) / floor,
                median(result) / usual.floor(bytes, operations),
                operations / best(result) / 1e6);
    }

    private static String name(RunResult result) {
        BenchmarkParams params = result.getParams();
        String precision = params.getParam("precision");
        if (params.getParam("context") != null) {
            return "attention over " + params.getParam("context");
        }
        return precision == null ? "stock Jlama Q4" : precision + " " + params.getParam("packing");
    }

    private static double best(RunResult result) {
        return result.getPrimaryResult().getStatistics().getMin();
    }

    private static double median(RunResult result) {
        return result.getPrimaryResult().getStatistics().getPercentile(50);
    }
}
