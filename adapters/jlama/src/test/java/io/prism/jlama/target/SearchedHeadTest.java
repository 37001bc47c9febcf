package io.prism.jlama.target;

import static org.assertj.core.api.Assertions.assertThat;

import io.prism.kernels.ArgmaxMatrix;
import io.prism.kernels.Kernels;
import java.lang.reflect.Proxy;
import org.junit.jupiter.api.Test;

class SearchedHeadTest {
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

    private final SearchedHead head = new SearchedHead(
            (Kernels) Proxy.newProxyInstance(
                    Kernels.class.getClassLoader(), new Class<?>[] {Kernels.class}, (proxy, method, arguments) -> {
                        searches++;
                        return succeeds;
                    }),
            MATRIX);

    private boolean search(int rows) {
        return head.isWorthwhile(rows) && head.find(new float[0], rows, null, new int[rows]);
    }

    @Test
    void searchesUpToTheMostRows() {
        assertThat(search(2)).isTrue();
        assertThat(search(3)).isFalse();
        assertThat(searches).isEqualTo(1);
    }

    @Test
    void hardlySearchesWhileThatIsInVain() {
        succeeds = false;
        for (int pass = 0; pass < 10_000; pass++) {
            assertThat(search(1)).isFalse();
        }
        assertThat(searches).isBetween(20, 400);
        succeeds = true;
        for (int pass = 0; pass < 2_000; pass++) {
            search(1);
        }
        searches = 0;
        for (int pass = 0; pass < 100; pass++) {
            assertThat(search(1)).isTrue();
        }
        assertThat(searches).isEqualTo(100);
    }
}
