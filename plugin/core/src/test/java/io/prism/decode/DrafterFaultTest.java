package io.prism.decode;

import static io.prism.decode.SpeculativeDecodingTest.plain;
import static io.prism.decode.SpeculativeDecodingTest.request;
import static org.assertj.core.api.Assertions.assertThat;

import io.prism.config.TreeSpec;
import io.prism.spi.DraftSession;
import io.prism.spi.Drafter;
import io.prism.spi.HiddenStateRequest;
import io.prism.testing.FakeDrafter;
import io.prism.testing.FakeDrafter.Proposer;
import io.prism.testing.FakeTarget;
import io.prism.testing.PlainKernels;
import io.prism.testing.Proposers;
import io.prism.verify.SamplingParameters;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever a drafter does costs speed only. */
@Timeout(value = 5, unit = TimeUnit.MINUTES) // only a test that hangs comes near it
class DrafterFaultTest {
    private static final TreeSpec TREE = TreeSpec.of(4, 2, 8);
    private static final int TOKENS = 60;

    /** No call takes this long that does not stall, however busy the machine is. */
    private static final Duration PATIENCE = Duration.ofHours(1);

    /** Short, for stalls that have to be waited for; only used where other calls may be late as well. */
    private static final Duration TIMEOUT = Duration.ofMillis(200);

    private final FakeTarget target = FakeTarget.of(31, 20);
    private final GenerationRequest request = request(new int[] {1, 2}, TOKENS, SamplingParameters.GREEDY, 0);
    private final int[] expected = plain(target, request);

    private SpeculativeDecoder decoder(Drafter drafter, Duration timeout) {
        return new SpeculativeDecoder(
                target, Optional.of(drafter), new PlainKernels(), SpeculativeDecodingTest.config(TREE), timeout, false);
    }

    private RequestStatistics decodes(Drafter drafter) {
        return decodes(drafter, PATIENCE);
    }

    private RequestStatistics decodes(Drafter drafter, Duration timeout) {
        RequestStatistics statistics;
        try (SpeculativeDecoder decoder = decoder(drafter, timeout);
                DecodingSession session = decoder.openSession()) {
            GenerationResult result = session.generate(request, token -> true);
            assertThat(result.tokens()).isEqualTo(expected);
            assertThat(result.statistics().generatedTokens()).isEqualTo(TOKENS);
            statistics = result.statistics();
        }
        assertThat(target.openSessions).hasValue(0);
        return statistics;
    }

    static Stream<Arguments> throwablesInEveryMethod() {
        return Stream.<Supplier<Throwable>>of(
                        () -> new IllegalStateException("broken"),
                        () -> new OutOfMemoryError("drafter's own"),
                        () -> new StackOverflowError("deep"),
                        () -> new UnsatisfiedLinkError("no such library"),
                        () -> new AssertionError("wrong"))
                .flatMap(thrown -> Stream.of("open", "accept", "propose", "close")
                        .flatMap(method ->
                                Stream.of(true, false).map(prompt -> Arguments.of(method, prompt, thrown.get()))));
    }

    @ParameterizedTest
    @MethodSource("throwablesInEveryMethod")
    void throwingInAnyMethodIsSurvivedAndCounted(String method, boolean returnsPromptly, Throwable thrown) {
        FakeDrafter drafter = new FakeDrafter(returnsPromptly, Proposers.oracle(target));
        drafter.onCall = called -> {
            if (called.equals(method)) {
                throwUnchecked(thrown);
            }
        };
        RequestStatistics statistics = decodes(drafter);
        if (method.equals("close")) {
            assertThat(statistics.fallbacks()).isEmpty();
            assertThat(statistics.accepted()).isPositive();
            return;
        }
        assertThat(statistics.accepted()).isZero();
        assertThat(statistics.rounds()).isEqualTo(TOKENS - 1);
        FallbackCause cause = thrown instanceof Error ? FallbackCause.ERROR : FallbackCause.EXCEPTION;
        if (method.equals("propose")) {
            assertThat(statistics.fallbacks()).containsEntry(cause, GuardedDrafter.MOST_FAILURES);
        }
        assertThat(statistics.fallbacks()).containsKey(FallbackCause.SWITCHED_OFF);
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> void throwUnchecked(Throwable thrown) throws T {
        throw (T) thrown;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void throwingWhenTheHistoryIsTruncatedIsSurvived(boolean returnsPromptly) {
        FakeDrafter drafter = new FakeDrafter(returnsPromptly, Proposers.oracle(target));
        drafter.onCall = called -> {
            if (called.equals("truncate")) {
                throw new IllegalStateException("broken");
            }
        };
        try (SpeculativeDecoder decoder = decoder(drafter, PATIENCE);
                DecodingSession session = decoder.openSession()) {
            session.generate(request, token -> true);
            session.truncate(2);
            GenerationResult again = session.generate(request(new int[0], TOKENS, request.sampling(), 0), t -> true);
            assertThat(again.tokens()).isEqualTo(expected);
            assertThat(again.statistics().fallbacks()).containsKey(FallbackCause.SWITCHED_OFF);
        }
    }

    @Test
    void aDrafterThatFailsNowAndThenStaysInUse() {
        FakeDrafter drafter = new FakeDrafter(true, Proposers.oracle(target));
        AtomicInteger calls = new AtomicInteger();
        drafter.onCall = called -> {
            if (called.equals("propose") && calls.incrementAndGet() % 2 == 0) {
                throw new IllegalStateException("now and then");
            }
        };
        RequestStatistics statistics = decodes(drafter);
        assertThat(statistics.accepted()).isPositive();
        assertThat(statistics.fallbacks()).containsOnlyKeys(FallbackCause.EXCEPTION);
        assertThat(statistics.fallbacks().get(FallbackCause.EXCEPTION)).isGreaterThan(GuardedDrafter.MOST_FAILURES);
    }

    static Stream<Arguments> nonsense() {
        return Stream.of(
                Arguments.of("a token beyond the vocabulary", (Proposer) (text, tree, budget) -> tree.add(0, 20, -1)),
                Arguments.of("a negative token", (Proposer) (text, tree, budget) -> tree.add(0, -1, -1)),
                Arguments.of("another root", (Proposer) (text, tree, budget) -> {
                    tree.reset(tree.token(0) + 1);
                    tree.add(0, 1, -1);
                }),
                Arguments.of("equal siblings", (Proposer) (text, tree, budget) -> {
                    tree.add(0, 1, -1);
                    tree.add(0, 1, -1);
                }),
                Arguments.of("too many nodes", (Proposer)
                        (text, tree, budget) -> Proposers.fullTree(tree, 4, 4, budget.nodes() + 1)),
                Arguments.of("too deep a tree", (Proposer) (text, tree, budget) -> {
                    for (int i = 0; i <= budget.steps(); i++) {
                        tree.add(i, 1, -1);
                    }
                }));
    }

    @ParameterizedTest
    @MethodSource("nonsense")
    void nonsenseIsRefusedAndCounted(String kind, Proposer proposer) {
        RequestStatistics statistics = decodes(new FakeDrafter(true, proposer));
        assertThat(statistics.drafted()).isZero();
        assertThat(statistics.fallbacks()).containsKey(FallbackCause.SWITCHED_OFF);
        // Near the end of the request the budget shrinks to chains that this one does not exceed.
        assertThat(statistics.fallbacks()).containsEntry(FallbackCause.INVALID_PROPOSAL, GuardedDrafter.MOST_FAILURES);
    }

    @Test
    void aLogProbabilityThatIsNoNumberIsRefused() {
        RequestStatistics statistics =
                decodes(new FakeDrafter(true, (text, tree, budget) -> tree.add(0, 1, Float.NaN)));
        assertThat(statistics.drafted()).isZero();
        assertThat(statistics.fallbacks()).containsKey(FallbackCause.EXCEPTION);
    }

    @ParameterizedTest
    @ValueSource(strings = {"open", "accept", "propose"})
    void aDrafterThatNeverReturnsIsGivenUp(String method) throws Exception {
        CountDownLatch never = new CountDownLatch(1);
        CountDownLatch closed = new CountDownLatch(1);
        AtomicBoolean stalled = new AtomicBoolean();
        FakeDrafter drafter = new FakeDrafter(false, Proposers.oracle(target));
        drafter.onCall = called -> {
            if (called.equals("close")) {
                closed.countDown();
            }
            if (called.equals(method)) {
                stalled.set(true);
                boolean released = false;
                while (!released) {
                    try {
                        never.await();
                        released = true;
                    } catch (InterruptedException deaf) {
                        // a drafter that does not react to interrupts either
                    }
                }
            }
        };
        RequestStatistics statistics = decodes(drafter, TIMEOUT);
        assertThat(statistics.accepted()).isZero();
        assertThat(statistics.fallbacks()).containsKey(FallbackCause.SWITCHED_OFF);
        // On a busy machine it may have been late before, when it was told of the prompt.
        if (method.equals("propose") && stalled.get()) {
            assertThat(statistics.fallbacks()).containsEntry(FallbackCause.TIMEOUT, 1);
        }
        never.countDown();
        closed.await(); // once it returned
    }

    @Test
    void aPromptDrafterThatIsSlowAfterAllIsSwitchedOff() {
        FakeDrafter drafter = new FakeDrafter(true, Proposers.oracle(target));
        drafter.onCall = called -> {
            if (called.equals("propose")) {
                try {
                    Thread.sleep(TIMEOUT.plusMillis(50));
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        };
        RequestStatistics statistics = decodes(drafter, TIMEOUT);
        assertThat(statistics.fallbacks()).containsEntry(FallbackCause.TIMEOUT, GuardedDrafter.MOST_FAILURES);
        assertThat(drafter.proposals).hasValue(GuardedDrafter.MOST_FAILURES);
    }

    @Test
    void aDrafterOnItsOwnThreadDraftsAsWell() {
        FakeDrafter drafter = new FakeDrafter(false, Proposers.oracle(target));
        RequestStatistics statistics = decodes(drafter);
        assertThat(statistics.accepted()).isPositive();
        assertThat(statistics.fallbacks()).isEmpty();
    }

    @Test
    void aSessionOfADrafterIsClosedOnce() throws Exception {
        for (boolean prompt : new boolean[] {true, false}) {
            CountDownLatch closed = new CountDownLatch(1);
            FakeDrafter drafter = new FakeDrafter(prompt, Proposers.oracle(target));
            drafter.onCall = called -> {
                if (called.equals("close")) {
                    closed.countDown();
                }
            };
            decodes(drafter);
            closed.await();
            assertThat(drafter.openSessions).hasValue(0);
            assertThat(drafter.closed).isTrue();
        }
    }

    @Test
    void aDrafterThatCanNotEvenSayWhatItNeedsIsLeftOut() {
        Drafter drafter = new Drafter() {
            @Override
            public String name() {
                throw new IllegalStateException("no name");
            }

            @Override
            public HiddenStateRequest hiddenStates() {
                throw new NoClassDefFoundError("missing");
            }

            @Override
            public DraftSession openSession() {
                throw new IllegalStateException();
            }

            @Override
            public void close() {
                throw new IllegalStateException();
            }
        };
        assertThat(decodes(drafter).draftRounds()).isZero();
    }
}
