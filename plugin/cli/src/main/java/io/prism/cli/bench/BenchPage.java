package io.prism.cli.bench;

import io.prism.cli.bench.BenchReport.Run;
import io.prism.cli.bench.BenchReport.TimeShare;
import io.prism.cli.chart.Chart;
import io.prism.cli.chart.Markup;
import io.prism.cli.chart.Palette;
import io.prism.cli.chart.Series;
import io.prism.cli.text.Quantity;
import io.prism.spi.PrismException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Results for people, as one HTML page with charts that loads nothing from elsewhere. */
public final class BenchPage {
    private static final String STOCK = "stock";
    private static final String STYLE = """
            :root { color-scheme: light dark; }
            body { font: 15px/1.5 system-ui, sans-serif; max-width: 960px; margin: 2em auto; padding: 0 1em; }
            h1 { font-size: 1.5em; } h2 { margin-top: 2em; }
            figure { margin: 1.5em 0; } figcaption { font-weight: 600; }
            svg { width: 100%; height: auto; } svg text { font-size: 12px; fill: currentColor; }
            .grid { stroke: currentColor; opacity: .2; }
            .legend { list-style: none; padding: 0; margin: .2em 0; display: flex; flex-wrap: wrap; gap: .2em 1.2em; }
            .legend span { display: inline-block; width: .8em; height: .8em; margin-right: .4em; border-radius: 2px; }
            .wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; }
            th, td { padding: .2em .6em; text-align: right; white-space: nowrap; border-bottom: 1px solid #8884; }
            .word { text-align: left; } pre { white-space: pre-wrap; }
            """;

    private final BenchReport report;
    private final List<String> contenders;
    private final StringBuilder html = new StringBuilder();

    private BenchPage(BenchReport report) {
        this.report = report;
        this.contenders = distinct(report.runs(), BenchPage::contender);
    }

    /** @throws PrismException if it can't be written */
    public static void write(BenchReport report, Path file) {
        try {
            Path parent = file.toAbsolutePath().getParent();
            if (parent != null) {
                Files.createDirectories(parent);
            }
            Files.writeString(file, new BenchPage(report).page());
        } catch (IOException e) {
            throw new PrismException("Can't write " + file + " (" + e + "): expected a path that can be written.", e);
        }
    }

    private String page() {
        html.append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
                .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
                .append("<title>%s</title>\n<style>\n%s</style></head>\n<body>\n"
                        .formatted(Markup.escape("PRISM bench: " + report.model()), STYLE))
                .append("<h1>%s</h1>\n<p>%s</p>\n"
                        .formatted(Markup.escape("PRISM bench: " + report.model()), Markup.escape(report.machine())));
        report.runs().stream().map(Run::temperature).distinct().forEach(this::temperature);
        html.append("<h2>What the numbers mean</h2>\n<pre>")
                .append(Markup.escape(BenchTable.legend()))
                .append("</pre>\n");
        return html.append("</body></html>\n").toString();
    }

    private void temperature(float temperature) {
        List<Run> runs = report.runs().stream()
                .filter(run -> run.temperature() == temperature)
                .toList();
        html.append("<h2>Temperature ").append(temperature).append("</h2>\n");
        bySet("Tokens per second", runs, run -> true, Run::tokensPerSecond);
        bySet("Speed-up over plain decoding on the same kernels", runs, BenchPage::drafts, Run::speedupOverPlain);
        if (runs.stream().anyMatch(run -> run.speedupOverStock() != null)) {
            bySet(
                    "Speed-up over stock",
                    runs,
                    run -> !run.drafter().equals(STOCK),
                    run -> number(run.speedupOverStock()));
        }
        bySet("Acceptance length: tokens per pass", runs, BenchPage::drafts, Run::acceptanceLength);
        byStep("Acceptance by step, conditional, mean over sets", runs, Run::acceptanceByStep);
        byStep("Acceptance by step, marginal, mean over sets", runs, Run::marginalAcceptanceByStep);
        timeShares(runs);
        bySet(
                "Share of repeated 8-grams",
                runs,
                run -> !run.drafter().equals(STOCK),
                run -> number(run.repeated8Grams()));
        table(runs);
    }

    private static boolean drafts(Run run) {
        return !run.tree().isEmpty();
    }

    private static double number(@Nullable Double value) {
        return value == null ? Double.NaN : value;
    }

    private static String contender(Run run) {
        return run.drafter() + (run.tree().isEmpty() ? "" : " " + run.tree());
    }

    private String colour(String contender) {
        return Palette.colour(contenders.indexOf(contender));
    }

    private static List<String> distinct(List<Run> runs, Function<Run, String> by) {
        return runs.stream().map(by).distinct().toList();
    }

    private void bySet(String title, List<Run> all, Predicate<Run> shown, ToDoubleFunction<Run> value) {
        List<Run> runs = all.stream().filter(shown).toList();
        List<String> sets = distinct(runs, Run::set);
        chart(
                title,
                Chart.Kind.BARS,
                sets,
                distinct(runs, BenchPage::contender).stream()
                        .map(contender -> new Series(
                                contender,
                                colour(contender),
                                sets.stream()
                                        .mapToDouble(set -> runs.stream()
                                                .filter(run -> run.set().equals(set)
                                                        && contender(run).equals(contender))
                                                .mapToDouble(value)
                                                .findFirst()
                                                .orElse(Double.NaN))
                                        .toArray()))
                        .toList());
    }

    private void byStep(String title, List<Run> all, Function<Run, double[]> steps) {
        List<Run> runs = all.stream().filter(BenchPage::drafts).toList();
        int deepest =
                runs.stream().mapToInt(run -> steps.apply(run).length).max().orElse(0);
        List<String> names = IntStream.rangeClosed(1, deepest)
                .mapToObj(step -> "step " + step)
                .toList();
        chart(
                title,
                Chart.Kind.LINES,
                names,
                distinct(runs, BenchPage::contender).stream()
                        .map(contender -> new Series(
                                contender,
                                colour(contender),
                                IntStream.range(0, deepest)
                                        .mapToDouble(step -> runs.stream()
                                                .filter(run -> contender(run).equals(contender))
                                                .map(steps)
                                                .filter(values -> values.length > step)
                                                .mapToDouble(values -> values[step])
                                                .average()
                                                .orElse(Double.NaN))
                                        .toArray()))
                        .toList());
    }

    private void timeShares(List<Run> all) {
        List<Run> runs = all.stream().filter(run -> run.timeShare() != null).toList();
        List<String> names = distinct(runs, BenchPage::contender);
        chart(
                "Where the time goes, mean over sets",
                Chart.Kind.STACKED_BARS,
                names,
                List.of(
                        share("draft", 0, runs, names, TimeShare::draft),
                        share("verify", 1, runs, names, TimeShare::verify),
                        share("other", 2, runs, names, TimeShare::other)));
    }

    private static Series share(
            String name, int colour, List<Run> runs, List<String> names, ToDoubleFunction<TimeShare> part) {
        return new Series(
                name,
                Palette.colour(colour),
                names.stream()
                        .mapToDouble(contender -> runs.stream()
                                .filter(run -> contender(run).equals(contender))
                                .map(Run::timeShare)
                                .mapToDouble(part)
                                .average()
                                .orElse(Double.NaN))
                        .toArray());
    }

    private void chart(String title, Chart.Kind kind, List<String> groups, List<Series> series) {
        if (!groups.isEmpty() && !series.isEmpty()) {
            html.append(new Chart(title, kind, groups, series).html());
        }
    }

    private void table(List<Run> runs) {
        html.append("<div class=\"wide\"><table><tr>");
        for (String head : List.of("set", "drafter", "tree")) {
            html.append("<th class=\"word\">").append(head).append("</th>");
        }
        for (String head : List.of(
                "prompts",
                "tokens",
                "AL",
                "tokens/s",
                "x stock",
                "x plain",
                "equal to plain",
                "repeats",
                "conditional",
                "marginal")) {
            html.append("<th>").append(head).append("</th>");
        }
        html.append("</tr>\n");
        for (Run run : runs) {
            html.append("<tr>");
            for (String word : List.of(run.set(), run.drafter(), run.tree())) {
                html.append("<td class=\"word\">").append(Markup.escape(word)).append("</td>");
            }
            for (String cell : List.of(
                    Integer.toString(run.prompts()),
                    Long.toString(run.tokens()),
                    Quantity.ratio(run.acceptanceLength()),
                    Quantity.rate(run.tokensPerSecond()),
                    Quantity.speedup(number(run.speedupOverStock())),
                    Quantity.speedup(run.speedupOverPlain()),
                    run.equalToPlain() == null ? "-" : run.equalToPlain() + "/" + run.prompts(),
                    run.repeated8Grams() == null ? "-" : Quantity.ratio(run.repeated8Grams()),
                    steps(run.acceptanceByStep()),
                    steps(run.marginalAcceptanceByStep()))) {
                html.append("<td>").append(Markup.escape(cell)).append("</td>");
            }
            html.append("</tr>\n");
        }
        html.append("</table></div>\n");
    }

    private static String steps(double[] byStep) {
        return Arrays.stream(byStep)
                .mapToObj(step -> String.format(Locale.ROOT, "%.2f", step))
                .collect(Collectors.joining(" "));
    }
}
