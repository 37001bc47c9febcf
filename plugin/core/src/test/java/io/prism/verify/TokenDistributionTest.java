package io.prism.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.prism.spi.PrismException;
import io.prism.testing.ChiSquare;
import io.prism.testing.PlainKernels;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenDistributionTest {

    private static float[] randomLogits(int count, long seed) {
        Random random = new Random(seed);
        float[] logits = new float[count];
        for (int i = 0; i < count; i++) {
            logits[i] = (float) random.nextGaussian() * 3;
        }
        return logits;
    }

    private static TokenDistribution distribution(int vocabulary, SamplingParameters parameters) {
        TokenDistribution distribution = new TokenDistribution(new PlainKernels(), vocabulary);
        distribution.configure(parameters);
        return distribution;
    }

    @ParameterizedTest
    @CsvSource({
        "1, 1, 0",
        "0.3, 1, 0",
        "2, 1, 0",
        "1, 0.9, 0",
        "1, 0.5, 0",
        "0.7, 0.95, 0",
        "1, 1, 1",
        "1, 1, 5",
        "1.5, 0.6, 20",
        "1, 0.01, 0",
        "5, 0.999, 0",
        "1, 1, 100000"
    })
    void probabilitiesAreThoseOfTheDefinition(float temperature, float topP, int topK) {
        SamplingParameters parameters = new SamplingParameters(temperature, topP, topK);
        for (int vocabulary : new int[] {1, 2, 7, 63, 64, 65, 511, 512, 513, 2000}) {
            float[] logits = randomLogits(vocabulary, vocabulary);
            TokenDistribution distribution = distribution(vocabulary, parameters);
            assertThat(distribution.load(logits, 0)).isTrue();
            double[] expected = ReferenceDistribution.of(logits, parameters);
            for (int token = 0; token < vocabulary; token++) {
                // single-precision probabilities: 2^-24 relative, a few roundings
                assertThat(distribution.probability(token))
                        .isCloseTo(expected[token], within(1e-6 * expected[token] + 1e-9));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 0", "1, 0.8, 0", "0.5, 1, 40"})
    void drawingInvertsTheCumulativeDistribution(float temperature, float topP, int topK) {
        int vocabulary = 1300;
        TokenDistribution distribution = distribution(vocabulary, new SamplingParameters(temperature, topP, topK));
        distribution.load(randomLogits(vocabulary, 5), 0);
        double[] share = new double[vocabulary];
        int steps = 400_000;
        for (int i = 0; i < steps; i++) {
            share[distribution.draw((i + 0.5) / steps)] += 1.0 / steps;
        }
        for (int token = 0; token < vocabulary; token++) {
            // a grid of u is at most one step off at either end of a token's interval
            assertThat(share[token]).isCloseTo(distribution.probability(token), within(2.0 / steps));
        }
    }

    @Test
    void extremeUniformNumbersDrawTokensThatHaveMass() {
        float[] logits = new float[1500];
        Arrays.fill(logits, Float.NEGATIVE_INFINITY);
        logits[3] = 1;
        logits[700] = 1;
        TokenDistribution distribution = distribution(1500, new SamplingParameters(1, 1, 0));
        assertThat(distribution.load(logits, 0)).isTrue();
        assertThat(distribution.draw(0)).isEqualTo(3);
        assertThat(distribution.draw(0.4999)).isEqualTo(3);
        assertThat(distribution.draw(0.5001)).isEqualTo(700);
        assertThat(distribution.draw(Math.nextDown(1.0))).isEqualTo(700);
    }

    @Test
    void aTinyTemperatureDrawsTheArgmax() {
        float[] logits = randomLogits(100, 3);
        TokenDistribution distribution = distribution(100, new SamplingParameters(1e-6f, 1, 0));
        assertThat(distribution.load(logits, 0)).isTrue();
        int best = new PlainKernels().argmax(logits, 0, 100);
        assertThat(distribution.draw(0)).isEqualTo(best);
        assertThat(distribution.draw(0.999)).isEqualTo(best);
    }

    @Test
    void rowsAreReadAtTheirOffset() {
        float[] logits = {9, 9, 9, 0, 1000, 0};
        TokenDistribution distribution = distribution(3, new SamplingParameters(1, 1, 0));
        distribution.load(logits, 3);
        assertThat(distribution.draw(0.5)).isEqualTo(1);
        assertThat(distribution.support()).containsExactly(1);
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
    void aDamagedRowGivesNoDistribution(float damage) {
        for (SamplingParameters parameters : new SamplingParameters[] {
            new SamplingParameters(1, 1, 0), new SamplingParameters(1, 0.9f, 0), new SamplingParameters(1, 1, 3)
        }) {
            float[] logits = randomLogits(20, 1);
            logits[4] = damage;
            assertThat(distribution(20, parameters).load(logits, 0)).isFalse();
            Arrays.fill(logits, Float.NEGATIVE_INFINITY);
            assertThat(distribution(20, parameters).load(logits, 0)).isFalse();
        }
    }

    @Test
    void parametersOutOfRangeAreRefusedWithWhatIsExpected() {
        assertThatThrownBy(() -> new SamplingParameters(-1, 1, 0))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("Temperature -1.0");
        assertThatThrownBy(() -> new SamplingParameters(Float.NaN, 1, 0)).isInstanceOf(PrismException.class);
        assertThatThrownBy(() -> new SamplingParameters(1, 0, 0))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("Top-p 0.0");
        assertThatThrownBy(() -> new SamplingParameters(1, 1.1f, 0)).isInstanceOf(PrismException.class);
        assertThatThrownBy(() -> new SamplingParameters(1, 1, -1))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("Top-k -1");
    }

    @Test
    void uniformNumbersOfSeedsAndPositionsAreSpreadEvenly() {
        long[] bySeed = new long[100];
        long[] byPosition = new long[100];
        double[] expected = new double[100];
        Arrays.fill(expected, 0.01);
        for (int i = 0; i < 200_000; i++) {
            bySeed[(int) (100 * PositionalUniform.of(i, 17))]++;
            byPosition[(int) (100 * PositionalUniform.of(17, i))]++;
        }
        assertThat(ChiSquare.pValue(bySeed, expected)).isGreaterThan(0.001);
        assertThat(ChiSquare.pValue(byPosition, expected)).isGreaterThan(0.001);
    }
}
