package io.prism.kernels.vector;

import io.prism.kernels.Packing;
import io.prism.kernels.Precision;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Times passes of several sizes in turns with what the machine can do, in one JVM, and prints medians of the quotients of a
 * turn. On a machine that others use too, its memory may be twice as fast a second later: only what ran side by side
 * compares.
 *
 * <p>Argument: precisions with commas between; by default BF16, F32 and Q4.
 */
public final class PairedReport {
    private static final int[] ROWS = {1, 2, 3, 4, 6, 8, 16};
    private static final int[] STOCK_ROWS = {1, 4};
    private static final int WARM_UP_TURNS = 15;
    private static final int TURNS = 40;
    private static final int LAYERS = 4;
    private static final int THREADS = 2;

    private PairedReport() {}

    /** Prints a table for each precision. */
    public static void main(String[] arguments) {
        String precisions = arguments.length == 0 ? "BF16,F32,Q4" : arguments[0];
        for (String precision : precisions.split(",", -1)) {
            report(Precision.valueOf(precision));
        }
    }

    private static void report(Precision precision) {
        MachineLimits limits = new MachineLimits();
        limits.threads = THREADS;
        limits.bytes = 256 << 20;
        limits.rounds = 1 << 12;
        limits.open();
        MatrixPass ours = new MatrixPass();
        ours.precision = precision;
        ours.packing = Packing.ROUNDED_PANELS;
        ours.layers = LAYERS;
        ours.threads = THREADS;
        ours.rows = ROWS[ROWS.length - 1];
        ours.open();
        try {
            Turns turns = new Turns(limits);
            for (int rows : ROWS) {
                turns.add("ours", rows, () -> {
                    ours.rows = rows;
                    ours.pass();
                });
            }
            if (precision == Precision.Q4) {
                for (int rows : STOCK_ROWS) {
                    StockJlamaPass stock = new StockJlamaPass();
                    stock.rows = rows;
                    stock.layers = LAYERS;
                    stock.open();
                    turns.add("stock Jlama", rows, stock::pass);
                }
            }
            turns.run(WARM_UP_TURNS);
            turns.clear();
            turns.run(TURNS);
            long weights = DecoderShape.llama1b(LAYERS).weights();
            System.out.print(turns.table(precision, weights));
        } finally {
            ours.close();
            limits.close();
        }
    }

    private record Pass(String name, int rows, Runnable work) {}

    /** Passes in turns, each right after the machine's limits. */
    private static final class Turns {
        private final MachineLimits limits;
        private final List<Pass> passes = new ArrayList<>();
        private final List<double[]> times = new ArrayList<>();

        Turns(MachineLimits limits) {
            this.limits = limits;
        }

        void add(String name, int rows, Runnable work) {
            passes.add(new Pass(name, rows, work));
        }

        void clear() {
            times.clear();
        }

        /** Times in milliseconds: reading, computing, then the passes. */
        void run(int turns) {
            for (int turn = 0; turn < turns; turn++) {
                double[] row = new double[2 + passes.size()];
                row[0] = time(limits::read);
                row[1] = time(limits::multiplyAdd);
                for (int i = 0; i < passes.size(); i++) {
                    row[2 + i] = time(passes.get(i).work());
                }
                times.add(row);
            }
        }

        private static double time(Runnable work) {
            long begin = System.nanoTime();
            work.run();
            return (System.nanoTime() - begin) / 1e6;
        }

        String table(Precision precision, long weights) {
            double bytes = precision.valueBytes(weights) + precision.scaleBytes(weights);
            StringBuilder out = new StringBuilder(String.format(
                    Locale.ROOT,
                    "%n%s, medians of %d turns: read %.1f GB/s, multiply-add %.0f Gflop/s%n%n"
                            + "| | rows | ms | floor ms | x floor | x 1 row |%n|---|---|---|---|---|---|%n",
                    precision,
                    times.size(),
                    limits.bytes / median(row -> row[0]) / 1e6,
                    operationsOfLimit() / median(row -> row[1]) / 1e6));
            for (int i = 0; i < passes.size(); i++) {
                int column = 2 + i;
                Pass pass = passes.get(i);
                double operations = 2.0 * weights * pass.rows();
                Value floor = row -> Math.max(bytes / limits.bytes * row[0], operations / operationsOfLimit() * row[1]);
                out.append(String.format(
                        Locale.ROOT,
                        "| %s | %d | %.1f | %.1f | %.2f | %.2f |%n",
                        pass.name(),
                        pass.rows(),
                        median(row -> row[column]),
                        median(floor),
                        median(row -> row[column] / floor.of(row)),
                        median(row -> row[column] / row[2])));
            }
            return out.toString();
        }

        private double operationsOfLimit() {
            return MachineLimits.operations(limits.threads, limits.rounds);
        }

        private double median(Value value) {
            double[] sorted = times.stream().mapToDouble(value::of).sorted().toArray();
            return sorted[sorted.length / 2];
        }
    }

    private interface Value {
        double of(double[] row);
    }
}
