package io.prism.cli.text;

import java.util.Locale;

/** Numbers as people read them, with a point as decimal separator everywhere. */
public final class Quantity {
    private static final double NANOS = 1e9;

    private Quantity() {}

    /** Events per second; 0 if no time passed. */
    public static double perSecond(double events, long nanos) {
        return nanos <= 0 ? 0 : events * NANOS / nanos;
    }

    /** For instance {@code 812} or {@code 27.4}: three digits or more. */
    public static String rate(double perSecond) {
        return String.format(Locale.ROOT, perSecond < 100 ? "%.1f" : "%.0f", perSecond);
    }

    /** For instance {@code 2.31}. */
    public static String ratio(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }

    /** For instance {@code 2.31x}; a dash if unknown. */
    public static String speedup(double value) {
        return Double.isNaN(value) || value <= 0 ? "-" : ratio(value) + "x";
    }

    /** For instance {@code 1.52 s} or {@code 38 ms}. */
    public static String time(long nanos) {
        return nanos < NANOS
                ? String.format(Locale.ROOT, "%.0f ms", nanos / 1e6)
                : String.format(Locale.ROOT, "%.2f s", nanos / NANOS);
    }
}
