package io.prism.cli.chart;

import java.util.List;
import java.util.Locale;

/**
 * Series over groups, as grouped bars, stacked bars or lines.
 *
 * @param title what is shown
 * @param groups names along the horizontal axis
 * @param series each as long as there are groups
 */
public record Chart(String title, Kind kind, List<String> groups, List<Series> series) {

    /** How series are drawn. */
    public enum Kind {
        /** Side by side. */
        BARS,
        /** On top of each other. */
        STACKED_BARS,
        /** A line each. */
        LINES
    }

    private static final int WIDTH = 900;
    private static final int HEIGHT = 300;
    private static final int LEFT = 48;
    private static final int TOP = 12;
    private static final int BOTTOM = 28;
    private static final int PLOT_WIDTH = WIDTH - LEFT - 8;
    private static final int PLOT_HEIGHT = HEIGHT - TOP - BOTTOM;
    private static final int TICKS = 5;

    /** Share of a group's width that its bars take. */
    private static final double FILLED = 0.8;

    public Chart {
        groups = List.copyOf(groups);
        series = List.copyOf(series);
        for (Series one : series) {
            if (one.values().length != groups.size()) {
                throw new IllegalArgumentException(one.values().length + " values for " + groups.size() + " groups");
            }
        }
    }

    /** The chart with its title and legend, as an HTML figure. */
    public String html() {
        StringBuilder html = new StringBuilder("<figure><figcaption>")
                .append(Markup.escape(title))
                .append("</figcaption><ul class=\"legend\">");
        for (int i = 0; i < series.size(); i++) {
            html.append("<li><span style=\"background:%s\"></span>%s</li>"
                    .formatted(
                            series.get(i).colour(), Markup.escape(series.get(i).name())));
        }
        html.append("</ul><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">"
                .formatted(WIDTH, HEIGHT, Markup.escape(title)));
        double top = tickStep() * TICKS;
        drawAxes(html, top);
        switch (kind) {
            case BARS -> drawBars(html, top);
            case STACKED_BARS -> drawStacks(html, top);
            case LINES -> drawLines(html, top);
        }
        return html.append("</svg></figure>\n").toString();
    }

    /** 1, 2, 2.5 or 5 times a power of ten, so that the ticks reach the largest value. */
    private double tickStep() {
        double largest = largest();
        if (largest <= 0) {
            return 1.0 / TICKS;
        }
        double least = largest / TICKS;
        double power = Math.pow(10, Math.floor(Math.log10(least)));
        for (double step : new double[] {1, 2, 2.5, 5}) {
            if (step * power >= least * (1 - 1e-9)) {
                return step * power;
            }
        }
        return 10 * power;
    }

    private double largest() {
        if (kind != Kind.STACKED_BARS) {
            return series.stream().mapToDouble(Series::largest).max().orElse(0);
        }
        double largest = 0;
        for (int group = 0; group < groups.size(); group++) {
            double sum = 0;
            for (Series one : series) {
                sum += Double.isNaN(one.values()[group]) ? 0 : one.values()[group];
            }
            largest = Math.max(largest, sum);
        }
        return largest;
    }

    private void drawAxes(StringBuilder svg, double top) {
        for (int tick = 0; tick <= TICKS; tick++) {
            double value = top * tick / TICKS;
            svg.append("<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%s\" y2=\"%3$s\"/>"
                    .formatted(LEFT, LEFT + PLOT_WIDTH, Markup.number(y(value, top))));
            svg.append(text(
                    LEFT - 6,
                    y(value, top) + 4,
                    "end",
                    String.format(Locale.ROOT, "%.4g", value)
                            .replaceAll("(\\.\\d*?)0+$", "$1")
                            .replaceAll("\\.$", "")));
        }
        for (int group = 0; group < groups.size(); group++) {
            svg.append(text(x(group + 0.5), HEIGHT - 8, "middle", groups.get(group)));
        }
    }

    private static String text(double x, double y, String anchor, String text) {
        return "<text x=\"%s\" y=\"%s\" text-anchor=\"%s\">%s</text>"
                .formatted(Markup.number(x), Markup.number(y), anchor, Markup.escape(text));
    }

    private void drawBars(StringBuilder svg, double top) {
        double width = FILLED / Math.max(1, series.size());
        for (int i = 0; i < series.size(); i++) {
            for (int group = 0; group < groups.size(); group++) {
                double left = group + (1 - FILLED) / 2 + i * width;
                bar(svg, i, group, left, width, 0, top);
            }
        }
    }

    private void drawStacks(StringBuilder svg, double top) {
        for (int group = 0; group < groups.size(); group++) {
            double below = 0;
            for (int i = 0; i < series.size(); i++) {
                bar(svg, i, group, group + (1 - FILLED) / 2, FILLED, below, top);
                double value = series.get(i).values()[group];
                below += Double.isNaN(value) ? 0 : value;
            }
        }
    }

    private void bar(StringBuilder svg, int index, int group, double left, double width, double below, double top) {
        double value = series.get(index).values()[group];
        if (Double.isNaN(value)) {
            return;
        }
        svg.append("<rect x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\" fill=\"%s\"><title>%s</title></rect>"
                .formatted(
                        Markup.number(x(left)),
                        Markup.number(y(below + value, top)),
                        Markup.number(Math.max(1, x(left + width) - x(left) - 1)),
                        Markup.number(y(below, top) - y(below + value, top)),
                        series.get(index).colour(),
                        Markup.escape(label(index, group))));
    }

    private void drawLines(StringBuilder svg, double top) {
        for (int i = 0; i < series.size(); i++) {
            StringBuilder points = new StringBuilder();
            for (int group = 0; group < groups.size(); group++) {
                double value = series.get(i).values()[group];
                if (!Double.isNaN(value)) {
                    String x = Markup.number(x(group + 0.5));
                    String y = Markup.number(y(value, top));
                    points.append(x).append(',').append(y).append(' ');
                    svg.append("<circle cx=\"%s\" cy=\"%s\" r=\"4\" fill=\"%s\"><title>%s</title></circle>"
                            .formatted(x, y, series.get(i).colour(), Markup.escape(label(i, group))));
                }
            }
            svg.append("<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>"
                    .formatted(points.toString().strip(), series.get(i).colour()));
        }
    }

    private String label(int index, int group) {
        Series one = series.get(index);
        return groups.get(group) + ", " + one.name() + ": " + Markup.value(one.values()[group]);
    }

    private double x(double group) {
        return LEFT + PLOT_WIDTH * group / Math.max(1, groups.size());
    }

    private static double y(double value, double top) {
        return TOP + PLOT_HEIGHT * (1 - value / top);
    }
}
