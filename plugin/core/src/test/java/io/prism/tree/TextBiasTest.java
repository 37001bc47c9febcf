package io.prism.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextBiasTest {
    private final TextBias bias = new TextBias();

    @Test
    void isNoneAtFirstAndAfterAnotherTextBegan() {
        assertThat(bias.of(0.3)).isEqualTo(0.3);
        for (int i = 0; i < 20; i++) {
            bias.observe(bias.of(0.3), true);
        }
        assertThat(bias.of(0.3)).isGreaterThan(0.7);
        bias.forget();
        assertThat(bias.of(0.3)).isEqualTo(0.3);
    }

    /** A mean over rounds in which the text's true share differs from the average one by a fixed amount of log-odds. */
    @ParameterizedTest
    @ValueSource(doubles = {1, 1.5, 2})
    void learnsByWhatATextDiffers(double difference) {
        Random random = new Random(1);
        double mean = 0;
        int rounds = 20_000;
        for (int i = 0; i < rounds; i++) {
            double average = 0.1 + 0.8 * random.nextDouble();
            double truth = 1 / (1 + Math.exp(-Math.log(average / (1 - average)) - difference));
            bias.observe(bias.of(average), random.nextDouble() < truth);
            mean += (bias.of(average) - truth) / rounds;
        }
        assertThat(mean).isCloseTo(0, within(0.02));
    }

    @Test
    void staysBoundedWhateverComes() {
        for (int i = 0; i < 1000; i++) {
            bias.observe(bias.of(0.5), true);
        }
        assertThat(bias.of(0.5)).isBetween(0.9, 0.96);
        assertThat(bias.of(0)).isZero();
        assertThat(bias.of(1)).isEqualTo(1);
    }

    @Test
    void takesNothingFromTheOdds() {
        for (int i = 0; i < 20; i++) {
            bias.observe(bias.of(0.5), false);
        }
        assertThat(bias.of(0.5)).isEqualTo(0.5);
    }

    @Test
    void isUndone() {
        for (int i = 0; i < 5; i++) {
            bias.observe(bias.of(0.5), true);
        }
        for (double probability : new double[] {0.01, 0.5, 0.99}) {
            assertThat(bias.of(Math.exp(bias.undo((float) Math.log(probability)))))
                    .isCloseTo(probability, within(1e-6));
        }
        assertThat(bias.undo(0)).isZero();
        assertThat(bias.undo(Float.NEGATIVE_INFINITY)).isEqualTo(Float.NEGATIVE_INFINITY);
    }
}
