package io.prism.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class PoolTest {
    @Test
    void makesAsManyAsAreTakenAtOnce() throws InterruptedException {
        AtomicInteger made = new AtomicInteger();
        Pool<Integer> pool = new Pool<>(made::incrementAndGet);
        Integer first = pool.take();
        Integer second = pool.take();
        assertThat(second).isNotSameAs(first);
        pool.give(first);
        pool.give(second);
        for (int i = 0; i < 5; i++) {
            Thread thread = new Thread(() -> pool.give(pool.take()));
            thread.start();
            thread.join();
        }
        assertThat(made).hasValue(2);
    }
}
