package io.prism.decode;

import static io.prism.decode.SpeculativeDecodingTest.decoder;
import static io.prism.decode.SpeculativeDecodingTest.plain;
import static io.prism.decode.SpeculativeDecodingTest.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.prism.config.TreeSpec;
import io.prism.drafter.ngram.NgramDrafter;
import io.prism.spi.Drafter;
import io.prism.spi.PrismException;
import io.prism.testing.FakeDrafter;
import io.prism.testing.FakeTarget;
import io.prism.testing.Proposers;
import io.prism.verify.SamplingParameters;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** Stop rules, resuming, truncating, the end of the context. */
class SessionTest {
    private static final SamplingParameters GREEDY = SamplingParameters.GREEDY;
    private static final TreeSpec TREE = TreeSpec.of(5, 2, 10);

    private final FakeTarget target = FakeTarget.of(21, 40);
    private final int[] prompt = {1, 2, 3};
    private final int[] text = plain(target, request(prompt, 80, GREEDY, 0));

    private Drafter oracle() {
        return new FakeDrafter(true, Proposers.oracle(target));
    }

    private static int[] concat(int[] a, int... b) {
        int[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }

    @Test
    void anEndTokenInsideAnAcceptedBlockEndsTheTextThere() {
        for (int stop = 0; stop < 30; stop++) {
            int end = text[stop];
            int first = indexOf(text, end);
            try (SpeculativeDecoder decoder = decoder(target, oracle(), TREE);
                    DecodingSession session = decoder.openSession()) {
                List<Integer> heard = new ArrayList<>();
                GenerationResult result = session.generate(
                        new GenerationRequest(prompt, 80, GREEDY, OptionalLong.empty(), t -> t == end, true),
                        heard::add);
                assertThat(result.reason()).isEqualTo(FinishReason.END_TOKEN);
                assertThat(result.tokens()).isEqualTo(Arrays.copyOf(text, first));
                assertThat(heard).hasSize(first);
                assertThat(result.statistics().generatedTokens()).isEqualTo(first);
                assertThat(result.statistics().endTokenSampled()).isTrue();
                assertThat(result.statistics().passTokens()).isEqualTo(first);
                assertThat(session.length()).isEqualTo(prompt.length + first);
                // The session goes on as if the block behind the stop had never been verified.
                GenerationResult more = session.generate(request(new int[] {7}, 40, GREEDY, 0), t -> true);
                assertThat(more.tokens())
                        .isEqualTo(plain(target, request(concat(concat(prompt, result.tokens()), 7), 40, GREEDY, 0)));
            }
        }
    }

    private static int indexOf(int[] tokens, int token) {
        int index = 0;
        while (tokens[index] != token) {
            index++;
        }
        return index;
    }

    @Test
    void theTextStopsAfterExactlyTheTokensAskedFor() {
        for (int most = 0; most <= 30; most++) {
            try (SpeculativeDecoder decoder = decoder(target, oracle(), TREE);
                    DecodingSession session = decoder.openSession()) {
                GenerationResult result = session.generate(request(prompt, most, GREEDY, 0), t -> true);
                assertThat(result.reason()).isEqualTo(FinishReason.MAX_TOKENS);
                assertThat(result.tokens()).isEqualTo(Arrays.copyOf(text, most));
                GenerationResult more = session.generate(request(new int[0], 10, GREEDY, 0), t -> true);
                assertThat(more.tokens()).isEqualTo(Arrays.copyOfRange(text, most, most + 10));
            }
        }
    }

    @Test
    void aListenerStopsAfterAnyTokenAndTheSessionResumesThere() {
        for (int stop = 1; stop <= 30; stop++) {
            for (boolean throwing : new boolean[] {false, true}) {
                int last = stop;
                try (SpeculativeDecoder decoder = decoder(target, oracle(), TREE);
                        DecodingSession session = decoder.openSession()) {
                    List<Integer> heard = new ArrayList<>();
                    TokenListener listener = token -> {
                        heard.add(token);
                        if (throwing && heard.size() == last) {
                            throw new IllegalStateException("enough");
                        }
                        return heard.size() < last;
                    };
                    if (throwing) {
                        assertThatThrownBy(() -> session.generate(request(prompt, 80, GREEDY, 0), listener))
                                .isInstanceOf(IllegalStateException.class)
                                .hasMessage("enough");
                    } else {
                        GenerationResult result = session.generate(request(prompt, 80, GREEDY, 0), listener);
                        assertThat(result.reason()).isEqualTo(FinishReason.STOPPED);
                        assertThat(result.tokens()).hasSize(stop);
                    }
                    assertThat(heard).hasSize(stop);
                    assertThat(session.length()).isEqualTo(prompt.length + stop);
                    GenerationResult more = session.generate(request(new int[0], 20, GREEDY, 0), t -> true);
                    assertThat(more.tokens()).isEqualTo(Arrays.copyOfRange(text, stop, stop + 20));
                    assertThat(more.statistics().fallbacks()).isEmpty();
                }
            }
        }
    }

    @Test
    void anInterruptStopsBetweenRounds() {
        try (SpeculativeDecoder decoder = decoder(target, oracle(), TREE);
                DecodingSession session = decoder.openSession()) {
            GenerationResult result = session.generate(request(prompt, 80, GREEDY, 0), token -> {
                Thread.currentThread().interrupt();
                return true;
            });
            assertThat(Thread.interrupted()).isTrue();
            assertThat(result.reason()).isEqualTo(FinishReason.STOPPED);
            assertThat(result.tokens()).isEqualTo(Arrays.copyOf(text, result.tokens().length));
            assertThat(session.generate(request(new int[0], 5, GREEDY, 0), t -> true)
                            .tokens())
                    .isEqualTo(Arrays.copyOfRange(text, result.tokens().length, result.tokens().length + 5));
        }
    }

    @Test
    void theContextIsFilledToItsLastTokenAndNoFurther() {
        for (int capacity = 4; capacity < 40; capacity++) {
            for (boolean trees : new boolean[] {true, false}) {
                FakeTarget small = new FakeTarget(21, 40, 2, 4, capacity, 16, trees);
                for (Drafter drafter : List.of(new NgramDrafter(), new FakeDrafter(true, Proposers.oracle(small)))) {
                    try (SpeculativeDecoder decoder = decoder(small, drafter, TREE);
                            DecodingSession session = decoder.openSession()) {
                        GenerationResult result = session.generate(request(prompt, 1000, GREEDY, 0), t -> true);
                        assertThat(result.reason()).isEqualTo(FinishReason.CONTEXT_FULL);
                        assertThat(result.tokens()).isEqualTo(Arrays.copyOf(text, capacity - prompt.length));
                        assertThat(session.length()).isEqualTo(capacity);
                        GenerationResult none = session.generate(request(new int[0], 5, GREEDY, 0), t -> true);
                        assertThat(none.reason()).isEqualTo(FinishReason.CONTEXT_FULL);
                        assertThat(none.tokens()).isEmpty();
                        assertThatThrownBy(() -> session.generate(request(new int[] {1}, 5, GREEDY, 0), t -> true))
                                .isInstanceOf(PrismException.class)
                                .hasMessageContaining("A prompt of 1 tokens after a history of " + capacity)
                                .hasMessageContaining("does not fit a context of " + capacity);
                    }
                }
            }
        }
    }

    @Test
    void aConversationEqualsOneLongText() {
        for (Drafter drafter : List.of(new NgramDrafter(), oracle())) {
            try (SpeculativeDecoder decoder = decoder(target, drafter, TREE);
                    DecodingSession session = decoder.openSession()) {
                int[] history = {};
                for (int turn = 0; turn < 6; turn++) {
                    int[] added = {turn, turn + 1};
                    SamplingParameters sampling = turn % 2 == 0 ? GREEDY : new SamplingParameters(1, 0.9f, 0);
                    GenerationResult result = session.generate(request(added, 25, sampling, turn), t -> true);
                    assertThat(result.tokens())
                            .isEqualTo(plain(target, request(concat(history, added), 25, sampling, turn)));
                    history = concat(concat(history, added), result.tokens());
                    assertThat(session.length()).isEqualTo(history.length);
                }
            }
        }
    }

    @Test
    void aPromptThatRepeatsTheHistoryIsContinuedAndAnyOtherAppended() {
        try (SpeculativeDecoder decoder = decoder(target, oracle(), TREE);
                DecodingSession session = decoder.openSession()) {
            session.generate(request(prompt, 10, GREEDY, 0), t -> true);
            int[] whole = concat(prompt, Arrays.copyOf(text, 10));
            assertThat(session.remainderOf(concat(whole, 5, 6))).containsExactly(5, 6);
            assertThat(session.remainderOf(whole)).isEmpty();
            assertThat(session.remainderOf(new int[] {1, 2})).containsExactly(1, 2);
            assertThat(session.commonPrefix(new int[] {1, 2, 9})).isEqualTo(2);
            int passes = target.passes.get();
            session.generate(request(session.remainderOf(concat(whole, 5, 6)), 1, GREEDY, 0), t -> true);
            assertThat(target.passes.get() - passes)
                    .as("one pass over the new tokens")
                    .isEqualTo(1);
        }
    }

    @Test
    void truncatingGoesBackToAnyPoint() {
        for (Drafter drafter : List.of(new NgramDrafter(), oracle())) {
            for (int length = 1; length < 40; length += 3) {
                try (SpeculativeDecoder decoder = decoder(target, drafter, TREE);
                        DecodingSession session = decoder.openSession()) {
                    session.generate(request(prompt, 40, GREEDY, 0), t -> true);
                    session.truncate(length);
                    assertThat(session.length()).isEqualTo(length);
                    GenerationResult result = session.generate(request(new int[0], 20, GREEDY, 0), t -> true);
                    int[] kept = Arrays.copyOf(concat(prompt, text), length);
                    assertThat(result.tokens()).isEqualTo(plain(target, request(kept, 20, GREEDY, 0)));
                    assertThat(result.statistics().fallbacks()).isEmpty();
                }
            }
        }
    }

    @Test
    void requestsWithAndWithoutSpeculationMixInASession() {
        try (SpeculativeDecoder decoder = decoder(target, oracle(), TREE);
                DecodingSession session = decoder.openSession()) {
            int[] history = {};
            for (int turn = 0; turn < 6; turn++) {
                int[] added = {turn + 3};
                GenerationResult result = session.generate(
                        new GenerationRequest(added, 15, GREEDY, OptionalLong.empty(), t -> false, turn % 2 == 1),
                        t -> true);
                assertThat(result.tokens()).isEqualTo(plain(target, request(concat(history, added), 15, GREEDY, 0)));
                assertThat(result.statistics().draftRounds() > 0).isEqualTo(turn % 2 == 1);
                assertThat(result.statistics().fallbacks()).isEmpty();
                history = concat(concat(history, added), result.tokens());
            }
        }
    }

    @Test
    void nothingToContinueIsAnError() {
        try (SpeculativeDecoder decoder = decoder(target, null, TREE);
                DecodingSession session = decoder.openSession()) {
            assertThatThrownBy(() -> session.generate(request(new int[0], 5, GREEDY, 0), t -> true))
                    .isInstanceOf(PrismException.class)
                    .hasMessageContaining("history and prompt are empty");
            assertThatThrownBy(() -> request(prompt, -1, GREEDY, 0))
                    .isInstanceOf(PrismException.class)
                    .hasMessageContaining("Asked for -1 new tokens");
            assertThatThrownBy(() -> session.truncate(1)).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
