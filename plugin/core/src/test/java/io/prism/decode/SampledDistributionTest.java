package io.prism.decode;

import static org.assertj.core.api.Assertions.assertThat;

import io.prism.config.TreeSpec;
import io.prism.drafter.ngram.NgramDrafter;
import io.prism.spi.Drafter;
import io.prism.testing.ChiSquare;
import io.prism.testing.FakeDrafter;
import io.prism.testing.FakeTarget;
import io.prism.testing.Proposers;
import io.prism.verify.ReferenceDistribution;
import io.prism.verify.SamplingParameters;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Speculative output has the target's distribution: the joint distribution of the next two tokens, drawn 120 000 times
 * through whole rounds, against exact probabilities. Seeds are fixed, so the outcome is too.
 */
class SampledDistributionTest {
    private static final int VOCABULARY = 8;
    private static final int DRAWS = 120_000;

    /** With this many cases, a right sampler fails one with a chance of about 1%. */
    private static final double LEAST_P_VALUE = 0.001;

    private static final String TREE = "a tree with siblings";
    private static final String RANDOM_TREE = "a random tree";
    private static final String KNOWING = "a drafter that knows the draws";
    private static final String WITHOUT_MASS = "only tokens without mass";

    private static final int[] PROMPT = {3, 5, 1};

    private static final FakeTarget TARGET = new FakeTarget(11, VOCABULARY, 2, 6, 64, 64, true);

    static Stream<Arguments> cases() {
        return Stream.of(
                        new SamplingParameters(0.3f, 1, 0),
                        new SamplingParameters(1, 1, 0),
                        new SamplingParameters(1.7f, 1, 0),
                        new SamplingParameters(1, 0.8f, 0),
                        new SamplingParameters(1, 1, 3),
                        new SamplingParameters(1.5f, 0.7f, 5))
                .flatMap(sampling -> Stream.of(TREE, RANDOM_TREE, KNOWING, WITHOUT_MASS)
                        .filter(kind -> kind.equals(TREE) || kind.equals(KNOWING) || sampling.topP() < 1)
                        .map(kind -> Arguments.of(sampling, kind)));
    }

    private static Drafter drafter(String kind, SamplingParameters sampling) {
        return switch (kind) {
            case TREE -> new FakeDrafter(true, (text, tree, budget) -> Proposers.fullTree(tree, 3, 2, budget.nodes()));
            case KNOWING ->
                new FakeDrafter(true, Proposers.guesses(new FakeTarget(12, VOCABULARY, 2, 6, 64, 64, true)));
            case RANDOM_TREE -> new FakeDrafter(true, Proposers.random(VOCABULARY, 99));
            default ->
                new FakeDrafter(true, (text, tree, budget) -> {
                    double[] p = next(context(text.stream().mapToInt(i -> i).toArray(), tree.token(0)), sampling);
                    for (int token = 0; token < VOCABULARY; token++) {
                        if (p[token] == 0) {
                            tree.add(0, token, 0);
                        }
                    }
                });
        };
    }

    private static int[] context(int[] text, int last) {
        int[] context = Arrays.copyOf(text, text.length + 1);
        context[text.length] = last;
        return context;
    }

    private static double[] next(int[] text, SamplingParameters sampling) {
        float[] logits = new float[VOCABULARY];
        TARGET.logits(text, text.length, logits, 0);
        return ReferenceDistribution.of(logits, sampling);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void theNextTwoTokensHaveTheTargetsJointDistribution(SamplingParameters sampling, String kind) {
        double[] expected = new double[VOCABULARY * VOCABULARY];
        double[] first = next(PROMPT, sampling);
        for (int a = 0; a < VOCABULARY; a++) {
            double[] second = next(context(PROMPT, a), sampling);
            for (int b = 0; b < VOCABULARY; b++) {
                expected[a * VOCABULARY + b] = first[a] * second[b];
            }
        }
        long[] counts = new long[VOCABULARY * VOCABULARY];
        long accepted = 0;
        try (SpeculativeDecoder decoder =
                        SpeculativeDecodingTest.decoder(TARGET, drafter(kind, sampling), TreeSpec.of(2, 8, 16));
                DecodingSession session = decoder.openSession()) {
            for (int draw = 0; draw < DRAWS; draw++) {
                session.truncate(Math.min(session.length(), PROMPT.length));
                GenerationResult result = session.generate(
                        SpeculativeDecodingTest.request(session.remainderOf(PROMPT), 3, sampling, draw), token -> true);
                counts[result.tokens()[0] * VOCABULARY + result.tokens()[1]]++;
                accepted += result.statistics().accepted();
            }
        }
        for (int cell = 0; cell < counts.length; cell++) {
            if (expected[cell] == 0) {
                assertThat(counts[cell]).as("a token without mass").isZero();
            }
        }
        assertThat(ChiSquare.pValue(counts, expected)).isGreaterThan(LEAST_P_VALUE);
        if (kind.equals(WITHOUT_MASS)) {
            assertThat(accepted).isZero();
        } else {
            assertThat(accepted).isPositive();
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {0.5f, 1, 2})
    void tokensAlongATextFollowTheTargetsTransitions(float temperature) {
        SamplingParameters sampling = new SamplingParameters(temperature, 1, 0);
        FakeTarget markov = new FakeTarget(12, VOCABULARY, 1, 4, 1002, 64, true);
        long[][] counts = new long[VOCABULARY][VOCABULARY];
        try (SpeculativeDecoder decoder =
                SpeculativeDecodingTest.decoder(markov, new NgramDrafter(), TreeSpec.of(3, 2, 6))) {
            for (int seed = 0; seed < 60; seed++) {
                try (DecodingSession session = decoder.openSession()) {
                    int before = 1;
                    for (int token : session.generate(
                                    SpeculativeDecodingTest.request(new int[] {1}, 1000, sampling, seed), t -> true)
                            .tokens()) {
                        counts[before][token]++;
                        before = token;
                    }
                }
            }
        }
        for (int before = 0; before < VOCABULARY; before++) {
            float[] logits = new float[VOCABULARY];
            markov.logits(new int[] {before}, 1, logits, 0);
            assertThat(ChiSquare.pValue(counts[before], ReferenceDistribution.of(logits, sampling)))
                    .isGreaterThan(LEAST_P_VALUE);
        }
    }
}
