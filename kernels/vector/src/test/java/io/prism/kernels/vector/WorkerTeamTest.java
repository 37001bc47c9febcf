package io.prism.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 5, unit = TimeUnit.MINUTES) // only a test that hangs comes near it
class WorkerTeamTest {

    @Test
    void runsEveryChunkOnce() {
        try (WorkerTeam team = new WorkerTeam(3)) {
            for (int chunks : new int[] {0, 1, 2, 3, 100, 1000}) {
                AtomicIntegerArray done = new AtomicIntegerArray(chunks);
                assertThat(team.tryAcquire()).isTrue();
                team.run(done::incrementAndGet, chunks);
                team.release();
                for (int chunk = 0; chunk < chunks; chunk++) {
                    assertThat(done.get(chunk))
                            .as("chunk %d of %d", chunk, chunks)
                            .isEqualTo(1);
                }
            }
        }
    }

    @Test
    void usesItsWorkersAlsoAfterTheyHaveParked() throws InterruptedException {
        try (WorkerTeam team = new WorkerTeam(2)) {
            for (int run = 0; run < 3; run++) {
                TimeUnit.NANOSECONDS.sleep(4 * WorkerTeam.SPIN_NANOS);
                CountDownLatch both = new CountDownLatch(2);
                assertThat(team.tryAcquire()).isTrue();
                team.run(
                        chunk -> {
                            both.countDown();
                            await(both);
                        },
                        2);
                team.release();
                assertThat(both.getCount()).isZero();
            }
        }
    }

    @Test
    void isRefusedToASecondCaller() {
        try (WorkerTeam team = new WorkerTeam(2)) {
            assertThat(team.tryAcquire()).isTrue();
            assertThat(team.tryAcquire()).isFalse();
            team.release();
            assertThat(team.tryAcquire()).isTrue();
            team.release();
        }
    }

    @Test
    void ofOneThreadIsNeverAcquired() {
        try (WorkerTeam team = new WorkerTeam(1)) {
            assertThat(team.threads()).isEqualTo(1);
            assertThat(team.tryAcquire()).isFalse();
        }
        assertThatThrownBy(() -> new WorkerTeam(0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void throwsWhatAChunkThrewAndStaysUsable() {
        try (WorkerTeam team = new WorkerTeam(3)) {
            for (int bad = 0; bad < 50; bad++) {
                int failing = bad;
                assertThat(team.tryAcquire()).isTrue();
                assertThatThrownBy(() -> team.run(
                                chunk -> {
                                    if (chunk == failing) {
                                        throw new IllegalStateException("chunk " + chunk);
                                    }
                                },
                                50))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessage("chunk " + failing);
                AtomicIntegerArray done = new AtomicIntegerArray(10);
                team.run(done::incrementAndGet, 10);
                team.release();
                assertThat(done.toString()).isEqualTo("[1, 1, 1, 1, 1, 1, 1, 1, 1, 1]");
            }
        }
    }

    @Test
    void servesManyCallersAtOnce() throws Exception {
        int callers = 6;
        try (WorkerTeam team = new WorkerTeam(2);
                ExecutorService pool = Executors.newFixedThreadPool(callers)) {
            List<Future<?>> results = new ArrayList<>();
            for (int caller = 0; caller < callers; caller++) {
                results.add(pool.submit(() -> {
                    for (int run = 0; run < 2000; run++) {
                        if (team.tryAcquire()) {
                            AtomicIntegerArray done = new AtomicIntegerArray(7);
                            team.run(done::incrementAndGet, 7);
                            team.release();
                            assertThat(done.toString()).isEqualTo("[1, 1, 1, 1, 1, 1, 1]");
                        }
                    }
                }));
            }
            for (Future<?> result : results) {
                result.get();
            }
        }
    }

    @Test
    void stopsItsThreadsWhenClosed() throws InterruptedException {
        Set<Thread> threads = ConcurrentHashMap.newKeySet();
        WorkerTeam team = new WorkerTeam(2);
        CountDownLatch both = new CountDownLatch(2);
        assertThat(team.tryAcquire()).isTrue();
        team.run(
                chunk -> {
                    threads.add(Thread.currentThread());
                    both.countDown();
                    await(both);
                },
                2);
        team.release();
        team.close();
        threads.remove(Thread.currentThread());
        assertThat(threads).hasSize(1);
        for (Thread worker : threads) {
            worker.join();
        }
        assertThat(team.tryAcquire()).isFalse();
    }

    @Test
    void allocatesNothing() {
        try (WorkerTeam team = new WorkerTeam(2)) {
            int[] counts = new int[64];
            WorkerTeam.Task task = chunk -> counts[chunk]++;
            AllocationProbe.assertSettlesAtZero("a run", () -> {
                if (team.tryAcquire()) {
                    team.run(task, counts.length);
                    team.release();
                }
            });
            assertThat(counts[0]).isPositive().isEqualTo(counts[63]);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
