package io.prism.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.prism.spi.PrismException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A token takes one byte here; a request leases {@value KvBudget#AHEAD} tokens more than it has, up to its limit. */
@Timeout(60)
class KvBudgetTest {
    /** Each task has a thread of its own, as a thread with a lease must not wait for another. */
    private final ExecutorService threads =
            Executors.newThreadPerTaskExecutor(Thread.ofPlatform().daemon().factory());

    @AfterEach
    void endThreads() {
        threads.shutdownNow();
    }

    private <T> T elsewhere(Callable<T> work) throws Exception {
        return threads.submit(work).get();
    }

    private Future<?> waiting(Thread[] owner, Runnable work) throws InterruptedException {
        Future<?> result = threads.submit(() -> {
            owner[0] = Thread.currentThread();
            work.run();
        });
        while (owner[0] == null || owner[0].getState() != Thread.State.WAITING) {
            Thread.sleep(1);
        }
        return result;
    }

    @Test
    void aLeaseCoversWhatIsThereAndALittleMoreUpToItsLimit() {
        KvBudget budget = new KvBudget(10_000, 2);
        try (KvBudget.Lease lease = budget.lease(100, 1000)) {
            assertThat(budget.leased()).isEqualTo(2 * (100 + KvBudget.AHEAD));
            assertThat(lease.cover(100 + KvBudget.AHEAD)).isTrue();
            assertThat(budget.leased()).isEqualTo(2 * (100 + KvBudget.AHEAD));
            assertThat(lease.cover(900)).isTrue();
            assertThat(budget.leased()).isEqualTo(2000);
        }
        assertThat(budget.leased()).isZero();
    }

    @Test
    void whoFindsNoRoomWaitsUntilOthersHaveEnded() throws Exception {
        KvBudget budget = new KvBudget(1000, 1);
        KvBudget.Lease first = elsewhere(() -> budget.lease(600, 600));
        Thread[] owner = new Thread[1];
        Future<?> second = waiting(owner, () -> budget.lease(600, 600));
        // it would fit, but does not overtake
        Thread[] smallOwner = new Thread[1];
        Future<?> small = waiting(smallOwner, () -> budget.lease(100, 100));
        assertThat(budget.leased()).isEqualTo(600);
        first.close();
        second.get();
        small.get();
        assertThat(budget.leased()).isEqualTo(700);
    }

    @Test
    void aRequestAloneMayNeedMoreThanTheBudget() {
        KvBudget budget = new KvBudget(1000, 1);
        try (KvBudget.Lease lease = budget.lease(5000, 9000)) {
            assertThat(lease.cover(9000)).isTrue();
        }
    }

    @Test
    void theOldestGetsOnAndTheOthersWaitForIt() throws Exception {
        KvBudget budget = new KvBudget(1000, 1);
        KvBudget.Lease oldest = elsewhere(() -> budget.lease(200, 2000));
        KvBudget.Lease[] younger = new KvBudget.Lease[1];
        Thread[] owner = new Thread[1];
        Future<?> grows = waiting(owner, () -> {
            younger[0] = budget.lease(200, 2000);
            younger[0].cover(700);
        });
        assertThat(oldest.cover(1500)).isTrue();
        assertThat(grows.isDone()).isFalse();
        oldest.close();
        grows.get();
        assertThat(budget.leased()).isEqualTo(700 + KvBudget.AHEAD);
    }

    @Test
    void anInterruptEndsTheWaiting() throws Exception {
        KvBudget budget = new KvBudget(1000, 1);
        KvBudget.Lease first = elsewhere(() -> budget.lease(1000, 1000));
        boolean[] ended = new boolean[1];
        Thread[] owner = new Thread[1];
        Future<?> second = waiting(
                owner,
                () -> ended[0] =
                        budget.lease(10, 10) == null && Thread.currentThread().isInterrupted());
        owner[0].interrupt();
        second.get();
        assertThat(ended[0]).isTrue();
        first.close();
        elsewhere(() -> budget.lease(1000, 1000)).close();
    }

    @Test
    void aCallbackThatGeneratesIsToldThatThereIsNoRoomInsteadOfWaitingForItself() throws Exception {
        KvBudget budget = new KvBudget(1 << 20, 1 << 10);
        KvBudget.Lease outer = budget.lease(1000, 1000);
        assertThatThrownBy(() -> budget.lease(100, 100))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("token callback")
                .hasMessageContaining("prism.kvmemory");
        try (KvBudget.Lease inner = budget.lease(24, 24)) {
            assertThat(inner.cover(24)).isTrue();
        }
        outer.close();
        elsewhere(() -> budget.lease(1024, 1024)).close();
    }

    @Test
    void nothingIsBoundedWhereTheSizeOfATokenIsUnknown() throws Exception {
        KvBudget budget = new KvBudget(1, 0);
        elsewhere(() -> budget.lease(1000, 1000));
        elsewhere(() -> budget.lease(1000, 1000));
        assertThat(budget.leased()).isZero();
    }
}
