package io.prism.jlama.target;

import static org.assertj.core.api.Assertions.assertThat;

import io.prism.kernels.ArgmaxMatrix;
import io.prism.kernels.Kernels;
import java.lang.reflect.Proxy;
import org.junit.jupiter.api.Test;

class GreedyHeadTest {
    private static final ArgmaxMatrix MATRIX = new ArgmaxMatrix() {
        @Override
        public int mostRows() {
            return 2;
        }

        @Override
        public long ownBytes() {
            return 7;
        }

        @Override
        public void close() {}
    };

    private boolean succeeds = true;
    private int searches;

    private final GreedyHead head = new GreedyHead(
            (Kernels) Proxy.newProxyInstance(
                    Kernels.class.getClassLoader(), new Class<?>[] {Kernels.class}, (proxy, method, arguments) -> {
                        searches++;
                        return succeeds;
                    }),
            MATRIX);

    @Test
    void searchesUpToTheMostRows() {
        assertThat(head.find(new float[0], 2, new int[2])).isTrue();
        assertThat(head.find(new float[0], 3, new int[3])).isFalse();
        assertThat(searches).isEqualTo(1);
    }

    @Test
    void hardlySearchesWhileThatIsInVain() {
        succeeds = false;
        for (int pass = 0; pass < 10_000; pass++) {
            assertThat(head.find(new float[0], 1, new int[1])).isFalse();
        }
        assertThat(searches).isBetween(20, 400);
        succeeds = true;
        for (int pass = 0; pass < 2_000; pass++) {
            head.find(new float[0], 1, new int[1]);
        }
        searches = 0;
        for (int pass = 0; pass < 100; pass++) {
            assertThat(head.find(new float[0], 1, new int[1])).isTrue();
        }
        assertThat(searches).isEqualTo(100);
    }
}
