package io.prism.cli.chart;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PaletteTest {
    @Test
    void noTwoOfAHundredColoursAreEqual() {
        assertThat(IntStream.range(0, 100).mapToObj(Palette::colour))
                .doesNotHaveDuplicates()
                .allMatch(colour -> colour.matches("#[0-9a-f]{6}|hsl\\(\\d+\\.\\d 60% \\d\\d%\\)"));
    }
}
