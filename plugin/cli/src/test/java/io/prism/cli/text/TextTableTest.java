package io.prism.cli.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TextTableTest {

    @Test
    void alignsWordsLeftAndNumbersRight() {
        String table = new TextTable(1, "set", "tokens/s")
                .add("gsm8k", "9.5")
                .add("x", "1234")
                .toString();
        assertThat(table.lines())
                .containsExactly("set    tokens/s", "---------------", "gsm8k       9.5", "x          1234");
    }

    @Test
    void aRowOfAnotherLengthIsRefused() {
        assertThatThrownBy(() -> new TextTable(1, "a", "b").add("c")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void quantitiesAreReadableInEveryLocale() {
        assertThat(Quantity.rate(27.44)).isEqualTo("27.4");
        assertThat(Quantity.rate(812.6)).isEqualTo("813");
        assertThat(Quantity.speedup(2.3)).isEqualTo("2.30x");
        assertThat(Quantity.speedup(Double.NaN)).isEqualTo("-");
        assertThat(Quantity.time(38_000_000)).isEqualTo("38 ms");
        assertThat(Quantity.time(1_520_000_000)).isEqualTo("1.52 s");
    }
}
