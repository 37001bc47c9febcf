package io.prism.cli.chart;

import java.util.Arrays;

/**
 * What one bar in each group, or one line, shows.
 *
 * @param colour in CSS, of the same thing the same in every chart of a page: see {@link Palette}
 * @param values one for each group or place along the line; NaN where there is none
 */
@SuppressWarnings("ArrayRecordComponent") // read only
public record Series(String name, String colour, double[] values) {

    double largest() {
        return Arrays.stream(values).filter(value -> !Double.isNaN(value)).max().orElse(0);
    }
}
