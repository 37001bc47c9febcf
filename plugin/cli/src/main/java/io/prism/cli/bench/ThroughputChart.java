package io.prism.cli.bench;

import io.prism.cli.model.Contender;
import io.prism.spi.PrismException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;

/** Draws throughput over the number of requests at a time. */
public final class ThroughputChart {
    private static final int WIDTH = 900;
    private static final int HEIGHT = 560;

    private ThroughputChart() {}

    /**
     * Writes a PNG.
     *
     * @param title for instance the model and the engine
     * @throws PrismException if it can't be written
     */
    public static void write(Path file, String title, List<Throughput> results) {
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .xAxisTitle("requests at a time")
                .yAxisTitle("tokens per second")
                .build();
        chart.getStyler().setYAxisMin(0.0);
        double[] all = results.stream()
                .mapToDouble(Throughput::sessions)
                .distinct()
                .sorted()
                .toArray();
        Map<Contender, List<Throughput>> byContender = results.stream()
                .collect(Collectors.groupingBy(Throughput::contender, LinkedHashMap::new, Collectors.toList()));
        byContender.forEach((contender, runs) -> {
            if (contender instanceof Contender.Stock) {
                double rate = runs.getFirst().tokensPerSecond();
                chart.addSeries(
                        name(contender), all, Arrays.stream(all).map(x -> rate).toArray());
            } else {
                chart.addSeries(
                        name(contender),
                        runs.stream().mapToDouble(Throughput::sessions).toArray(),
                        runs.stream().mapToDouble(Throughput::tokensPerSecond).toArray());
            }
        });
        try {
            Path parent = file.toAbsolutePath().getParent();
            if (parent != null) {
                Files.createDirectories(parent);
            }
            Files.write(file, BitmapEncoder.getBitmapBytes(chart, BitmapFormat.PNG));
        } catch (IOException e) {
            throw new PrismException("Can't write " + file + " (" + e + "): expected a path that can be written.", e);
        }
    }

    private static String name(Contender contender) {
        return switch (contender) {
            case Contender.Stock stock -> "stock, one after the other";
            case Contender.Ours ours when ours.isPlain() -> "plain, batched";
            case Contender.Ours ours -> ours.drafter() + " " + ours.tree();
        };
    }
}
