package io.prism.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class DraftEngineSelectionTest {
    private static final DraftEngineProvider WORKING = engine("");
    private static final DraftEngineProvider BROKEN = engine("no driver; install one.");

    @Test
    void autoTakesAnEngineThatIsUsableAndSaysWhyOneIsNot() {
        assertThat(DraftEngineSelection.select("auto", List.of(WORKING)).provider())
                .contains(WORKING);
        DraftEngineSelection none = DraftEngineSelection.select("auto", List.of(BROKEN));
        assertThat(none.provider()).isEmpty();
        assertThat(none.notes()).containsExactly("'gpu' not used: no driver; install one.");
    }

    @Test
    void aNameForcesTheEngineAndAnyOtherNameLeavesItAlone() {
        DraftEngineSelection forced = DraftEngineSelection.select("gpu", List.of(WORKING));
        assertThat(forced.provider()).contains(WORKING);
        assertThat(forced.forced()).isTrue();
        assertThat(DraftEngineSelection.select("vector", List.of(WORKING)).provider())
                .isEmpty();
        assertThat(DraftEngineSelection.select("vector", List.of(BROKEN)).notes())
                .isEmpty();
        assertThatThrownBy(() -> DraftEngineSelection.select("gpu", List.of(BROKEN)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("Kernels 'gpu' were asked for but can't be used: no driver; install one.");
    }

    @Test
    void theNameOfAnEngineStandsForTheBestKernelsBesideIt() {
        KernelProvider host = KernelSelectionTest.provider("host", 0, "");
        assertThat(KernelSelection.select("gpu", List.of(host), List.of(WORKING))
                        .provider())
                .isEqualTo(host);
        assertThatThrownBy(() -> KernelSelection.select("gpu", List.of(host), List.of(BROKEN)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("install one");
        assertThatThrownBy(() -> KernelSelection.select("quick", List.of(host), List.of(WORKING)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("[gpu, host]");
    }

    private static DraftEngineProvider engine(String unusableReason) {
        return new DraftEngineProvider() {
            @Override
            public String name() {
                return "gpu";
            }

            @Override
            public boolean isUsable() {
                return unusableReason.isEmpty();
            }

            @Override
            public String unusableReason() {
                return unusableReason;
            }

            @Override
            public DraftEngine open(DraftWeights weights) {
                throw new UnsupportedOperationException("only selected");
            }
        };
    }
}
