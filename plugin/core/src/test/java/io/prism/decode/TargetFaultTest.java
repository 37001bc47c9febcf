package io.prism.decode;

import static io.prism.decode.SpeculativeDecodingTest.decoder;
import static io.prism.decode.SpeculativeDecodingTest.plain;
import static io.prism.decode.SpeculativeDecodingTest.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.prism.config.TreeSpec;
import io.prism.spi.PrismException;
import io.prism.testing.FakeDrafter;
import io.prism.testing.FakeTarget;
import io.prism.testing.Proposers;
import io.prism.verify.SamplingParameters;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Failures of the target are thrown on; the session keeps what the caller has seen. */
class TargetFaultTest {
    private static final TreeSpec TREE = TreeSpec.of(4, 2, 8);

    private final FakeTarget target = FakeTarget.of(41, 20);
    private final GenerationRequest request = request(new int[] {1, 2}, 60, SamplingParameters.GREEDY, 0);
    private final int[] text = plain(target, request);

    private DecodingSession session(SpeculativeDecoder decoder) {
        return decoder.openSession();
    }

    private SpeculativeDecoder speculating() {
        return decoder(target, new FakeDrafter(true, Proposers.oracle(target)), TREE);
    }

    @Test
    void aFailedPassIsThrownOnAndTheSessionResumesBehindTheLastTokenHeard() {
        try (SpeculativeDecoder decoder = speculating();
                DecodingSession session = session(decoder)) {
            int before = target.passes.get();
            target.beforeVerify = pass -> {
                if (pass == before + 4) {
                    throw new IllegalStateException("device lost");
                }
            };
            List<Integer> heard = new ArrayList<>();
            assertThatThrownBy(() -> session.generate(request, heard::add)).hasMessage("device lost");
            target.beforeVerify = pass -> {};
            assertThat(heard).isNotEmpty();
            assertThat(session.length()).isEqualTo(2 + heard.size());
            GenerationResult rest =
                    session.generate(request(new int[0], 60 - heard.size(), SamplingParameters.GREEDY, 0), t -> true);
            assertThat(rest.tokens()).isEqualTo(Arrays.copyOfRange(text, heard.size(), 60));
        }
    }

    @Test
    void afterAFailedPrefillTheSameRequestCanBeMadeAgain() {
        try (SpeculativeDecoder decoder = speculating();
                DecodingSession session = session(decoder)) {
            target.beforePrefill = () -> {
                throw new OutOfMemoryError("KV cache");
            };
            assertThatThrownBy(() -> session.generate(request, t -> true)).isInstanceOf(OutOfMemoryError.class);
            target.beforePrefill = () -> {};
            assertThat(session.length()).isZero();
            assertThat(session.generate(request, t -> true).tokens()).isEqualTo(text);
        }
    }

    @Test
    void aTargetThatCanNotGoBackBreaksTheSessionWithAMessage() {
        try (SpeculativeDecoder decoder = speculating();
                DecodingSession session = session(decoder)) {
            target.afterRow = (logits, offset) -> Arrays.fill(logits, Float.NaN);
            target.beforeTruncate = () -> {
                throw new IllegalStateException("lost");
            };
            assertThatThrownBy(() -> session.generate(request, t -> true)).isInstanceOf(PrismException.class);
            target.afterRow = (logits, offset) -> {};
            assertThatThrownBy(() -> session.generate(request, t -> true))
                    .isInstanceOf(PrismException.class)
                    .hasMessageContaining("can't go on after an earlier failure of the target")
                    .hasMessageContaining("lost")
                    .hasMessageContaining("Open a new session");
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {0, 0.7f})
    void logitsThatAreNoNumbersAreAClearError(float temperature) {
        SamplingParameters sampling = new SamplingParameters(temperature, 1, 0);
        for (float damage : new float[] {Float.NaN, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY}) {
            try (SpeculativeDecoder decoder = speculating();
                    DecodingSession session = session(decoder)) {
                target.afterRow = (logits, offset) -> Arrays.fill(logits, offset, offset + 20, damage);
                assertThatThrownBy(() -> session.generate(request(new int[] {1, 2}, 60, sampling, 0), t -> true))
                        .isInstanceOf(PrismException.class)
                        .hasMessageContaining("The target's logits for position 2")
                        .hasMessageContaining("expected finite numbers");
                target.afterRow = (logits, offset) -> {};
                assertThat(session.generate(request, t -> true).tokens()).isEqualTo(text);
            }
        }
    }
}
