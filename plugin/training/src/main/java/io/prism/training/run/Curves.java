package io.prism.training.run;

import io.prism.training.files.AtomicFiles;
import io.prism.training.run.Progress.Point;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Draws curves of runs as PNG. */
public final class Curves {
    private static final int WIDTH = 1000;
    private static final int HEIGHT = 600;

    private Curves() {}

    /** Writes {@code loss.png} and {@code acceptance.png}; nothing while there are fewer than two points. */
    static void write(Path folder, List<Point> history) {
        if (history.size() < 2) {
            return;
        }
        double[] tokens =
                history.stream().mapToDouble(point -> point.tokens() / 1e6).toArray();
        XYChart loss = chart("Training loss", "loss");
        add(loss, "loss", tokens, history.stream().mapToDouble(Point::loss).toArray());
        save(folder.resolve("loss.png"), loss);
        XYChart acceptance = chart("Argmax agreement along drafted chains (validation)", "marginal acceptance");
        for (int step = 0; step < history.getFirst().marginal().size(); step++) {
            int index = step;
            add(
                    acceptance,
                    "step " + (step + 1),
                    tokens,
                    history.stream()
                            .mapToDouble(point -> point.marginal().get(index))
                            .toArray());
        }
        save(folder.resolve("acceptance.png"), acceptance);
    }

    /** Draws each run's tokens per pass along the tokens trained on. */
    public static void compare(Path file, List<RunSummary> runs) {
        XYChart chart = chart("Chains accepted along the validation answers", "tokens per pass");
        for (RunSummary run : runs) {
            add(
                    chart,
                    run.name(),
                    run.history().stream()
                            .mapToDouble(point -> point.tokens() / 1e6)
                            .toArray(),
                    run.history().stream()
                            .mapToDouble(point -> new Acceptance(point.marginal()).chainLength())
                            .toArray());
        }
        save(file, chart);
    }

    /** Draws each recipe's tokens per pass at the end of its runs along the tokens they were trained on. */
    public static void scaling(Path file, List<RunSummary> runs) {
        XYChart chart = chart("Chains accepted along the validation answers, by data", "tokens per pass");
        Map<String, List<RunSummary>> byRecipe = runs.stream()
                .sorted(Comparator.comparingLong(RunSummary::tokens))
                .collect(Collectors.groupingBy(RunSummary::recipe, LinkedHashMap::new, Collectors.toList()));
        byRecipe.forEach((recipe, all) -> chart.addSeries(
                recipe,
                all.stream().mapToDouble(run -> run.tokens() / 1e6).toArray(),
                all.stream().mapToDouble(run -> run.acceptance().chainLength()).toArray()));
        save(file, chart);
    }

    private static XYChart chart(String title, String y) {
        return new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .xAxisTitle("answer tokens trained on, millions")
                .yAxisTitle(y)
                .build();
    }

    private static void add(XYChart chart, String name, double[] x, double[] y) {
        chart.addSeries(name, x, y).setMarker(SeriesMarkers.NONE);
    }

    private static void save(Path file, XYChart chart) {
        AtomicFiles.writeFile(file, path -> Files.write(path, BitmapEncoder.getBitmapBytes(chart, BitmapFormat.PNG)));
    }
}
