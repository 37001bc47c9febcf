package io.prism.testing;

/** Pearson's goodness-of-fit test. */
public final class ChiSquare {
    /** Cells expected fewer times are taken together, as the test's approximation asks for. */
    private static final double LEAST_EXPECTED = 5;

    private ChiSquare() {}

    /**
     * Chance to see counts at least this far from what was expected.
     *
     * @param counts how often each cell was seen
     * @param probabilities of the cells
     */
    public static double pValue(long[] counts, double[] probabilities) {
        long draws = 0;
        for (long count : counts) {
            draws += count;
        }
        double statistic = 0;
        int cells = 0;
        double restExpected = 0;
        long restCount = 0;
        for (int i = 0; i < counts.length; i++) {
            double expected = draws * probabilities[i];
            if (expected < LEAST_EXPECTED) {
                restExpected += expected;
                restCount += counts[i];
            } else {
                statistic += (counts[i] - expected) * (counts[i] - expected) / expected;
                cells++;
            }
        }
        if (restExpected >= LEAST_EXPECTED) {
            statistic += (restCount - restExpected) * (restCount - restExpected) / restExpected;
            cells++;
        }
        return cells < 2 ? 1 : upperGamma((cells - 1) / 2.0, statistic / 2);
    }

    /** Regularised upper incomplete gamma function by its series for small x and its continued fraction for large. */
    static double upperGamma(double a, double x) {
        if (x <= 0) {
            return 1;
        }
        double scale = Math.exp(a * Math.log(x) - x - logGamma(a));
        if (x < a + 1) {
            double term = 1 / a;
            double sum = term;
            for (int n = 1; term > sum * 1e-15; n++) {
                term *= x / (a + n);
                sum += term;
            }
            return 1 - scale * sum;
        }
        double b = x + 1 - a;
        double c = 1e300;
        double d = 1 / b;
        double h = d;
        for (int n = 1; n < 10_000; n++) {
            double an = n * (a - n);
            b += 2;
            d = 1 / (an * d + b);
            c = b + an / c;
            h *= d * c;
            if (Math.abs(d * c - 1) < 1e-15) {
                break;
            }
        }
        return scale * h;
    }

    /** Stirling's series, after moving the argument up to where it is exact to double precision. */
    private static double logGamma(double a) {
        double shift = 0;
        double z = a;
        while (z < 15) {
            shift += Math.log(z);
            z++;
        }
        double inverse = 1 / z;
        double square = inverse * inverse;
        double series = inverse * (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square / 1680)));
        return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - shift;
    }
}
