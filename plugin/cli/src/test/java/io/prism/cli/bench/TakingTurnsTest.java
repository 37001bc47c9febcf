package io.prism.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.prism.spi.PrismException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TakingTurnsTest {
    private final AtomicInteger working = new AtomicInteger();
    private final List<String> order = new ArrayList<>();

    /** Gives {@code each} tokens a pass until {@code count} are made. */
    private TakingTurns.Answer<String> answer(String name, int count, int each) {
        return onText -> {
            for (int made = 0; made < count; ) {
                assertThat(working.incrementAndGet()).isEqualTo(1);
                order.add(name);
                working.decrementAndGet();
                for (int i = 0; i < each && made < count; i++) {
                    made++;
                    onText.accept(name);
                }
            }
            return name;
        };
    }

    @Test
    void oneAtATimeMakesAPassAndAllKeepPace() {
        List<String> made = TakingTurns.make(List.of(answer("a", 6, 1), answer("b", 6, 3), answer("c", 6, 1)));
        assertThat(made).containsExactly("a", "b", "c");
        assertThat(String.join("", order)).isEqualTo("abcacacabcacac");
    }

    @Test
    void whoHasMadeItsAnswerIsNotWaitedFor() {
        assertThat(TakingTurns.make(List.of(answer("a", 1, 1), answer("b", 5, 1))))
                .containsExactly("a", "b");
        assertThat(String.join("", order)).isEqualTo("abbbbb");
    }

    @Test
    void aFailureIsThrownWhenTheOthersHaveEnded() {
        TakingTurns.Answer<String> failing = onText -> {
            onText.accept("");
            throw new IllegalStateException("broken");
        };
        assertThatThrownBy(() -> TakingTurns.make(List.of(failing, answer("b", 4, 1))))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("broken");
        assertThat(order).hasSize(4);
    }
}
