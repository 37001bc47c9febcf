package io.prism.decode;

import static io.prism.decode.SpeculativeDecodingTest.config;
import static io.prism.decode.SpeculativeDecodingTest.decoder;
import static io.prism.decode.SpeculativeDecodingTest.plain;
import static io.prism.decode.SpeculativeDecodingTest.request;
import static org.assertj.core.api.Assertions.assertThat;

import io.prism.config.TreeSpec;
import io.prism.spi.Drafter;
import io.prism.testing.FakeDrafter;
import io.prism.testing.FakeTarget;
import io.prism.testing.Proposers;
import io.prism.verify.SamplingParameters;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that share passes give the text they give alone, whatever happens to those they share them with. */
@Timeout(120)
class ConcurrentRequestsTest {
    private static final int THREADS = 8;
    private static final int JOINT_ROWS = 64;

    private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    private final FakeTarget target = FakeTarget.of(51, 20);

    @BeforeEach
    void sharePasses() {
        target.jointRows = JOINT_ROWS;
    }

    @AfterEach
    void endThreads() {
        threads.shutdownNow();
    }

    private FakeDrafter oracle() {
        return new FakeDrafter(true, Proposers.oracle(target));
    }

    private GenerationRequest mixed(int number) {
        int[] prompt = new int[1 + number * 7 % 90];
        Arrays.setAll(prompt, i -> (i * number + 3) % 20);
        SamplingParameters sampling =
                number % 3 == 0 ? new SamplingParameters(0.9f, 0.9f, 0) : SamplingParameters.GREEDY;
        return request(prompt, 20 + number % 40, sampling, number);
    }

    private int[][] expected(int requests) {
        int[][] texts = new int[requests][];
        Arrays.setAll(texts, i -> plain(target, mixed(i)));
        return texts;
    }

    private <T> List<T> all(List<Callable<T>> work) throws Exception {
        List<T> results = new ArrayList<>();
        for (Future<T> result : threads.invokeAll(work)) {
            results.add(result.get());
        }
        return results;
    }

    @Test
    void textsEqualThoseOfRequestsAloneAndPassesAreShared() throws Exception {
        int requests = 64;
        int[][] expected = expected(requests);
        FakeDrafter together = oracle();
        together.together = true;
        List<Drafter> drafters = new ArrayList<>(List.of(oracle(), together));
        drafters.add(null);
        long shared = 0;
        for (Drafter drafter : drafters) {
            for (TreeSpec tree : List.of(TreeSpec.AUTO, TreeSpec.of(3, 2, 6), TreeSpec.of(6, 10, 60))) {
                try (SpeculativeDecoder decoder = decoder(target, drafter, tree)) {
                    List<Callable<int[]>> work = new ArrayList<>();
                    for (int i = 0; i < requests; i++) {
                        GenerationRequest request = mixed(i);
                        work.add(() -> {
                            try (DecodingSession session = decoder.openSession()) {
                                GenerationResult result = session.generate(request, token -> true);
                                assertThat(result.statistics().fallbacks()).isEmpty();
                                return result.tokens();
                            }
                        });
                    }
                    assertThat(all(work).toArray(int[][]::new)).isDeepEqualTo(expected);
                    shared += decoder.batches().parts() - decoder.batches().passes();
                }
            }
        }
        assertThat(shared)
                .as("the test would show nothing if no pass was shared")
                .isPositive();
        assertThat(together.jointProposals.get()).isPositive();
        assertThat(target.openSessions).hasValue(0);
    }

    @Test
    void aFailureOfTheTargetHitsTheRequestsItBelongsToAndNoOthers() throws Exception {
        int requests = 64;
        int[][] expected = expected(requests);
        AtomicInteger failures = new AtomicInteger();
        // Each pass of a session of its own may fail, in a shared pass as well as in the one it gets by itself
        // afterwards.
        IntConsumer faults = pass -> {
            if (ThreadLocalRandom.current().nextInt(40) == 0) {
                failures.incrementAndGet();
                throw new IllegalStateException("device lost");
            }
        };
        target.beforeVerify = faults;
        target.beforePrefill = () -> faults.accept(0);
        AtomicInteger thrown = new AtomicInteger();
        try (SpeculativeDecoder decoder = decoder(target, oracle(), TreeSpec.of(3, 2, 6))) {
            List<Callable<int[]>> work = new ArrayList<>();
            for (int i = 0; i < requests; i++) {
                int number = i;
                work.add(() -> {
                    try (DecodingSession session = decoder.openSession()) {
                        return session.generate(mixed(number), token -> true).tokens();
                    } catch (IllegalStateException e) {
                        assertThat(e).hasMessage("device lost");
                        thrown.incrementAndGet();
                        return expected[number];
                    }
                });
            }
            assertThat(all(work).toArray(int[][]::new)).isDeepEqualTo(expected);
        }
        assertThat(failures.get()).isPositive();
        assertThat(thrown.get()).isLessThan(requests);
        assertThat(target.openSessions).hasValue(0);
    }

    @Test
    void aDrafterThatFailsForOneSessionCostsTheOthersNothing() throws Exception {
        FakeDrafter drafter = new FakeDrafter(true, (text, tree, budget) -> {
            if (text.getFirst() == 19) {
                throw new IllegalStateException("bad session");
            }
            Proposers.oracle(target).propose(text, tree, budget);
        });
        drafter.together = true;
        CountDownLatch all = new CountDownLatch(4);
        try (SpeculativeDecoder decoder = decoder(target, drafter, TreeSpec.of(3, 1, 3))) {
            List<Callable<RequestStatistics>> work = new ArrayList<>();
            for (int first : new int[] {19, 1, 2, 3}) {
                work.add(() -> {
                    try (DecodingSession session = decoder.openSession()) {
                        return session.generate(
                                        request(new int[] {first, 5}, 200, SamplingParameters.GREEDY, 0), token -> {
                                            meet(all);
                                            return true;
                                        })
                                .statistics();
                    }
                });
            }
            List<RequestStatistics> statistics = all(work);
            assertThat(statistics.getFirst().fallbacks()).containsKey(FallbackCause.EXCEPTION);
            for (RequestStatistics good : statistics.subList(1, 4)) {
                assertThat(good.fallbacks()).isEmpty();
                assertThat(good.accepted()).isEqualTo(good.drafted());
            }
        }
    }

    /** Waits, once, until all have their first token. */
    private static void meet(CountDownLatch all) {
        if (all.getCount() > 0) {
            all.countDown();
            try {
                all.await();
            } catch (InterruptedException e) {
                // a test's interrupt may come before this thread has seen that all are here
                Thread.currentThread().interrupt();
            }
        }
    }

    @Test
    void aLongPromptGoesAlongInPartsWhileOthersGenerate() throws Exception {
        CountDownLatch generating = new CountDownLatch(1);
        CountDownLatch prompted = new CountDownLatch(1);
        int[] prompt = new int[600];
        Arrays.setAll(prompt, i -> i % 20);
        GenerationRequest longPrompt = request(prompt, 5, SamplingParameters.GREEDY, 0);
        int[] expected = plain(target, longPrompt);
        target.promptParts.clear();
        try (SpeculativeDecoder decoder = decoder(target, null, TreeSpec.AUTO)) {
            Future<FinishReason> talker = threads.submit(() -> {
                try (DecodingSession session = decoder.openSession()) {
                    return session.generate(request(new int[] {1}, 4000, SamplingParameters.GREEDY, 0), token -> {
                                generating.countDown();
                                return prompted.getCount() > 0;
                            })
                            .reason();
                }
            });
            generating.await();
            try (DecodingSession session = decoder.openSession()) {
                int[] tokens = session.generate(longPrompt, token -> {
                            prompted.countDown();
                            return true;
                        })
                        .tokens();
                assertThat(tokens).isEqualTo(expected);
            }
            assertThat(talker.get()).isEqualTo(FinishReason.STOPPED);
        }
        List<Integer> parts = target.promptParts.subList(1, target.promptParts.size());
        assertThat(parts).allSatisfy(rows -> assertThat(rows).isLessThanOrEqualTo(JOINT_ROWS / 2));
        assertThat(parts.stream().mapToInt(Integer::intValue).sum()).isEqualTo(600);
        assertThat(parts.size()).isGreaterThanOrEqualTo(600 / (JOINT_ROWS / 2));
    }

    @Test
    void anInterruptEndsARequestWhileTheOthersGoOn() throws Exception {
        GenerationRequest request = request(new int[] {1, 2}, 2000, SamplingParameters.GREEDY, 0);
        int[] expected = plain(target, request);
        CountDownLatch all = new CountDownLatch(4);
        try (SpeculativeDecoder decoder = decoder(target, oracle(), TreeSpec.AUTO)) {
            Thread[] interrupted = new Thread[1];
            List<Future<GenerationResult>> results = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                boolean first = i == 0;
                results.add(threads.submit(() -> {
                    if (first) {
                        interrupted[0] = Thread.currentThread();
                    }
                    try (DecodingSession session = decoder.openSession()) {
                        return session.generate(request, token -> {
                            meet(all);
                            return true;
                        });
                    }
                }));
            }
            all.await();
            interrupted[0].interrupt();
            GenerationResult stopped = results.getFirst().get();
            assertThat(stopped.reason()).isEqualTo(FinishReason.STOPPED);
            assertThat(stopped.tokens()).isEqualTo(Arrays.copyOf(expected, stopped.tokens().length));
            for (Future<GenerationResult> other : results.subList(1, 4)) {
                assertThat(other.get().tokens()).isEqualTo(expected);
            }
        }
        assertThat(target.openSessions).hasValue(0);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void requestsBeyondTheMemoryForKeysAndValuesWaitAndAreServedAll(boolean ofDrafter) throws Exception {
        int requests = 24;
        int[][] expected = expected(requests);
        AtomicInteger running = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        // room for two of these requests, which lease up to 150 tokens each
        long bytes = config(TreeSpec.AUTO).kvBytes() / 300;
        target.bytesPerToken = ofDrafter ? bytes / 2 : bytes;
        FakeDrafter drafter = new FakeDrafter(true, (text, tree, budget) -> {});
        drafter.bytesPerToken = bytes / 2;
        try (SpeculativeDecoder decoder = decoder(target, ofDrafter ? drafter : null, TreeSpec.AUTO)) {
            List<Callable<int[]>> work = new ArrayList<>();
            for (int i = 0; i < requests; i++) {
                GenerationRequest request = mixed(i);
                work.add(() -> {
                    try (DecodingSession session = decoder.openSession()) {
                        boolean[] counted = new boolean[1];
                        int[] tokens = session.generate(request, token -> {
                                    if (!counted[0]) {
                                        counted[0] = true;
                                        most.accumulateAndGet(running.incrementAndGet(), Math::max);
                                    }
                                    return true;
                                })
                                .tokens();
                        running.decrementAndGet();
                        return tokens;
                    }
                });
            }
            assertThat(all(work).toArray(int[][]::new)).isDeepEqualTo(expected);
        }
        assertThat(most.get()).isLessThan(THREADS);
    }
}
