package io.prism.decode;

import static org.assertj.core.api.Assertions.assertThat;

import io.prism.config.PrismConfig;
import io.prism.config.TreeSpec;
import io.prism.drafter.ngram.NgramDrafter;
import io.prism.spi.Drafter;
import io.prism.testing.FakeDrafter;
import io.prism.testing.FakeTarget;
import io.prism.testing.PlainKernels;
import io.prism.testing.Proposers;
import io.prism.verify.SamplingParameters;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SpeculativeDecodingTest {
    /** No call of a drafter takes this long, however busy the machine is. */
    private static final Duration PATIENCE = Duration.ofHours(1);

    private static final SamplingParameters WARM = new SamplingParameters(0.8f, 1, 0);

    static PrismConfig config(TreeSpec tree) {
        return PrismConfig.DEFAULTS.withTree(tree).withStats(PrismConfig.Stats.OFF);
    }

    static SpeculativeDecoder decoder(FakeTarget target, Drafter drafter, TreeSpec tree) {
        return new SpeculativeDecoder(
                target, Optional.ofNullable(drafter), new PlainKernels(), config(tree), PATIENCE, false);
    }

    static GenerationRequest request(int[] prompt, int tokens, SamplingParameters sampling, long seed) {
        return new GenerationRequest(prompt, tokens, sampling, OptionalLong.of(seed), token -> false, true);
    }

    static GenerationResult generate(DecodingSession session, GenerationRequest request) {
        return session.generate(request, token -> true);
    }

    static int[] plain(FakeTarget target, GenerationRequest request) {
        try (SpeculativeDecoder decoder = decoder(target, null, TreeSpec.AUTO);
                DecodingSession session = decoder.openSession()) {
            return generate(session, request).tokens();
        }
    }

    private static List<FakeTarget> targets(long seed) {
        return List.of(
                FakeTarget.of(seed, 10),
                new FakeTarget(seed, 50, 1, 8, 4096, 64, true),
                new FakeTarget(seed, 16, 2, 6, 4096, 5, true),
                new FakeTarget(seed, 16, 2, 6, 4096, 12, false));
    }

    private static List<Drafter> drafters(FakeTarget target, long seed) {
        int vocabulary = target.description().vocabularySize();
        return List.of(
                new NgramDrafter(),
                new FakeDrafter(true, Proposers.random(vocabulary, seed)),
                new FakeDrafter(true, Proposers.oracle(target)));
    }

    private static final List<TreeSpec> TREES = List.of(
            TreeSpec.of(1, 1, 1), TreeSpec.of(4, 1, 4), TreeSpec.of(6, 4, 16), TreeSpec.of(6, 10, 60), TreeSpec.AUTO);

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void speculativeTextEqualsPlainTextForAnyDrafterAndTree(long seed) {
        for (FakeTarget target : targets(seed)) {
            for (SamplingParameters sampling :
                    List.of(SamplingParameters.GREEDY, WARM, new SamplingParameters(1.5f, 0.7f, 5))) {
                GenerationRequest request = request(new int[] {1, 2, 3, 4, 5}, 120, sampling, seed);
                int[] expected = plain(target, request);
                assertThat(expected).hasSize(120);
                for (Drafter drafter : drafters(target, seed)) {
                    for (TreeSpec tree : TREES) {
                        try (SpeculativeDecoder decoder = decoder(target, drafter, tree);
                                DecodingSession session = decoder.openSession()) {
                            assertThat(generate(session, request).tokens())
                                    .as("%s, tree %s, %s", drafter.name(), tree, sampling)
                                    .isEqualTo(expected);
                        }
                    }
                }
            }
            assertThat(target.openSessions).hasValue(0);
        }
    }

    @Test
    void aDrafterThatIsTheTargetIsAlwaysAccepted() {
        FakeTarget target = FakeTarget.of(3, 20);
        FakeDrafter drafter = new FakeDrafter(true, Proposers.oracle(target));
        try (SpeculativeDecoder decoder = decoder(target, drafter, TreeSpec.of(4, 1, 4));
                DecodingSession session = decoder.openSession()) {
            RequestStatistics statistics = generate(session, request(new int[] {1}, 101, SamplingParameters.GREEDY, 0))
                    .statistics();
            assertThat(statistics.accepted()).isEqualTo(statistics.drafted()).isEqualTo(80);
            assertThat(statistics.rounds()).isEqualTo(20);
            assertThat(statistics.acceptanceLength()).isEqualTo(5);
            assertThat(statistics.acceptedByStep()).containsExactly(20, 20, 20, 20);
            assertThat(statistics.attemptedByStep()).containsExactly(20, 20, 20, 20);
            assertThat(statistics.conditionalAcceptance(4)).isEqualTo(1);
        }
    }

    @Test
    void statisticsOfPlainDecodingAreExact() {
        FakeTarget target = FakeTarget.of(3, 20);
        try (SpeculativeDecoder decoder = decoder(target, null, TreeSpec.AUTO);
                DecodingSession session = decoder.openSession()) {
            RequestStatistics statistics = generate(
                            session, request(new int[] {1, 2}, 11, SamplingParameters.GREEDY, 0))
                    .statistics();
            assertThat(statistics.promptTokens()).isEqualTo(2);
            assertThat(statistics.generatedTokens()).isEqualTo(11);
            assertThat(statistics.rounds()).isEqualTo(10);
            assertThat(statistics.draftRounds()).isZero();
            assertThat(statistics.acceptanceLength()).isEqualTo(1);
            assertThat(statistics.fallbacks()).isEmpty();
        }
    }

    @Test
    void theSameSeedGivesTheSameTextAndAnotherSeedAnother() {
        FakeTarget target = FakeTarget.of(3, 50);
        int[] first = plain(target, request(new int[] {1}, 60, WARM, 7));
        assertThat(plain(target, request(new int[] {1}, 60, WARM, 7))).isEqualTo(first);
        assertThat(plain(target, request(new int[] {1}, 60, WARM, 8))).isNotEqualTo(first);
    }

    @Test
    void promptsLongerThanAPrefillBatchReachTargetAndDrafterWhole() {
        FakeTarget target = new FakeTarget(5, 30, 3, 5, 5000, 64, true);
        int[] prompt = new int[1700];
        for (int i = 0; i < prompt.length; i++) {
            prompt[i] = (i * i + 3 * i) % 30;
        }
        GenerationRequest request = request(prompt, 50, SamplingParameters.GREEDY, 0);
        FakeDrafter drafter = new FakeDrafter(false, Proposers.oracle(target));
        try (SpeculativeDecoder decoder = decoder(target, drafter, TreeSpec.of(3, 2, 6));
                DecodingSession session = decoder.openSession()) {
            GenerationResult result = generate(session, request);
            assertThat(result.tokens()).isEqualTo(plain(target, request));
            assertThat(result.statistics().fallbacks()).isEmpty();
            assertThat(result.statistics().accepted()).isPositive();
        }
    }

    @Test
    void aDrafterThatDoesNotPayIsNotToldOfTokensUntilItIsAskedAgain() {
        FakeTarget target = FakeTarget.of(5, 30);
        GenerationRequest request = request(new int[] {1, 2, 3}, 300, SamplingParameters.GREEDY, 0);
        List<String> calls = new ArrayList<>();
        FakeDrafter drafter = new FakeDrafter(true, (text, tree, budget) -> sleep());
        drafter.onCall = calls::add;
        try (SpeculativeDecoder decoder = decoder(target, drafter, TreeSpec.AUTO)) {
            for (int round = 0; round < 3; round++) {
                try (DecodingSession session = decoder.openSession()) {
                    calls.clear();
                    assertThat(generate(session, request).tokens()).isEqualTo(plain(target, request));
                }
            }
        }
        assertThat(calls.stream().filter("accept"::equals).count())
                .isLessThanOrEqualTo(calls.stream().filter("propose"::equals).count());
    }

    private static void sleep() {
        try {
            Thread.sleep(5);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void manySessionsOnOneDecoderGenerateAtOnce() throws Exception {
        FakeTarget target = FakeTarget.of(9, 30);
        List<int[]> expected = new ArrayList<>();
        for (int i = 0; i < 24; i++) {
            expected.add(plain(
                    target, request(new int[] {i % 30, 1}, 150, i % 2 == 0 ? SamplingParameters.GREEDY : WARM, i)));
        }
        for (TreeSpec tree : List.of(TreeSpec.AUTO, TreeSpec.of(4, 2, 8))) {
            try (SpeculativeDecoder decoder = decoder(target, new NgramDrafter(), tree);
                    ExecutorService threads = Executors.newFixedThreadPool(8)) {
                List<Future<int[]>> results = new ArrayList<>();
                for (int i = 0; i < 24; i++) {
                    int number = i;
                    results.add(threads.submit(() -> {
                        try (DecodingSession session = decoder.openSession()) {
                            return generate(
                                            session,
                                            request(
                                                    new int[] {number % 30, 1},
                                                    150,
                                                    number % 2 == 0 ? SamplingParameters.GREEDY : WARM,
                                                    number))
                                    .tokens();
                        }
                    }));
                }
                for (int i = 0; i < 24; i++) {
                    assertThat(results.get(i).get()).isEqualTo(expected.get(i));
                }
            }
        }
        assertThat(target.openSessions).hasValue(0);
    }

    @Test
    void requestsByTurnsGetTokensOrLogitsAsTheyNeed() {
        FakeTarget plain = FakeTarget.of(9, 30);
        FakeTarget target = FakeTarget.of(9, 30);
        target.findsTokens = true;
        try (SpeculativeDecoder expecting = decoder(plain, null, TreeSpec.AUTO);
                SpeculativeDecoder decoder = decoder(target, new NgramDrafter(), TreeSpec.of(4, 2, 6))) {
            List<SamplingParameters> kinds =
                    List.of(SamplingParameters.GREEDY, WARM, new SamplingParameters(1, 0.9f, 0));
            for (int i = 0; i < 9; i++) {
                int before = target.passesWithoutLogits.get();
                try (DecodingSession expected = expecting.openSession();
                        DecodingSession session = decoder.openSession()) {
                    for (int turn = 0; turn < 2; turn++) {
                        GenerationRequest request = request(new int[] {i, turn}, 40, kinds.get((i + turn) % 3), i);
                        assertThat(generate(session, request).tokens())
                                .isEqualTo(generate(expected, request).tokens());
                    }
                }
                assertThat(target.passesWithoutLogits.get()).isGreaterThan(before);
            }
        }
        assertThat(plain.passesWithoutLogits).hasValue(0);
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void bothKindsOfPassesAreMeasuredWhereTheyDiffer() throws Exception {
        FakeTarget target = FakeTarget.of(9, 30);
        target.findsTokens = true;
        try (SpeculativeDecoder decoder = new SpeculativeDecoder(
                target, Optional.of(new NgramDrafter()), new PlainKernels(), config(TreeSpec.AUTO))) {
            assertThat(decoder.awaitMeasured(PATIENCE)).isTrue();
            assertThat(target.passesWithoutLogits.get()).isPositive().isLessThan(target.passes.get());
        }
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void theMeasurementInTheBackgroundEndsAndLeavesACostModel() throws Exception {
        FakeTarget target = FakeTarget.of(9, 30);
        SpeculativeDecoder decoder = new SpeculativeDecoder(
                target, Optional.of(new NgramDrafter()), new PlainKernels(), config(TreeSpec.AUTO));
        assertThat(decoder.awaitMeasured(PATIENCE)).isTrue();
        assertThat(decoder.costModel().isKnown()).isTrue();
        decoder.close();
        assertThat(target.openSessions).hasValue(0);
    }
}
