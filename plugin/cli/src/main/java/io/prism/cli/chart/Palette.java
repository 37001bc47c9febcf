package io.prism.cli.chart;

import java.util.List;
import java.util.Locale;

/** Colours of series. The first ten can be told apart by most eyes, also without colour vision (after Okabe and Ito). */
public final class Palette {
    private static final List<String> COLOURS = List.of(
            "#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#999999", "#b8a800", "#5d3a9b",
            "#882255");

    /** Turning by it again and again leaves every new hue far from the ones before. */
    private static final double GOLDEN_ANGLE = 180 * (3 - Math.sqrt(5));

    private Palette() {}

    /**
     * A CSS colour, another one for each index.
     *
     * @param index from 0
     */
    public static String colour(int index) {
        if (index < COLOURS.size()) {
            return COLOURS.get(index);
        }
        int turn = index - COLOURS.size();
        return String.format(Locale.ROOT, "hsl(%.1f 60%% %d%%)", turn * GOLDEN_ANGLE % 360, turn % 2 == 0 ? 35 : 60);
    }
}
