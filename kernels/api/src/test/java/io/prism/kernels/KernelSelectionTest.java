package io.prism.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class KernelSelectionTest {
    private static final KernelProvider SLOW = provider("slow", 0, "");
    private static final KernelProvider FAST = provider("fast", 50, "");
    private static final KernelProvider BROKEN = provider("gpu", 100, "no driver; install one.");

    @Test
    void theUsableProviderOfHighestPriorityIsTaken() {
        KernelSelection selection = KernelSelection.select("auto", List.of(SLOW, FAST), List.of());
        assertThat(selection.provider()).isSameAs(FAST);
        assertThat(selection.notes()).isEmpty();
    }

    @Test
    void aBetterProviderThatWasPassedOverIsNamedWithItsReason() {
        KernelSelection selection = KernelSelection.select("auto", List.of(SLOW, BROKEN, FAST), List.of());
        assertThat(selection.provider()).isSameAs(FAST);
        assertThat(selection.notes()).containsExactly("Kernels 'gpu' not used: no driver; install one.");
    }

    @Test
    void aNamedProviderIsTakenWhateverItsPriority() {
        assertThat(KernelSelection.select("slow", List.of(SLOW, FAST), List.of())
                        .provider())
                .isSameAs(SLOW);
    }

    @Test
    void aNamedProviderThatCannotBeUsedIsAnError() {
        assertThatThrownBy(() -> KernelSelection.select("gpu", List.of(SLOW, BROKEN), List.of()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("Kernels 'gpu' were asked for but can't be used: no driver; install one.");
    }

    @Test
    void anUnknownNameIsAnErrorThatListsTheKnownOnes() {
        assertThatThrownBy(() -> KernelSelection.select("quick", List.of(SLOW, FAST), List.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'quick'")
                .hasMessageContaining("fast")
                .hasMessageContaining("slow");
    }

    @Test
    void noUsableProviderIsAnError() {
        assertThatThrownBy(() -> KernelSelection.select("auto", List.of(BROKEN), List.of()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("no driver");
        assertThatThrownBy(() -> KernelSelection.select("auto", getClass().getClassLoader()))
                .isInstanceOf(IllegalStateException.class);
    }

    static KernelProvider provider(String name, int priority, String unusableReason) {
        return new KernelProvider() {
            @Override
            public String name() {
                return name;
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
            public int priority() {
                return priority;
            }

            @Override
            public Kernels open(int threads) {
                throw new UnsupportedOperationException("only selected");
            }
        };
    }
}
