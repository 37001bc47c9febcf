package io.prism.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class PaceTest {
    private final Pace pace = new Pace();

    @Test
    void aTokenTakesAPlainRoundBeforeAnythingIsKnown() {
        assertThat(pace.value()).isEqualTo(1);
    }

    @Test
    void itFollowsWhatRoundsGive() {
        for (int i = 0; i < 300; i++) {
            pace.observe(1.5, 3);
        }
        assertThat(pace.value()).isCloseTo(0.5, within(0.001));
    }

    @Test
    void slowRoundsDoNotMakeTokensDearerThanInPlainDecoding() {
        for (int i = 0; i < 300; i++) {
            pace.observe(4, 1);
        }
        assertThat(pace.value()).isEqualTo(1);
    }
}
