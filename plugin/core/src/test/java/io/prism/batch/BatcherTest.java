package io.prism.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Long patience makes groups certain where a test needs them; no test depends on a short time being enough. */
@Timeout(60)
class BatcherTest {
    private static final long FOREVER = TimeUnit.SECONDS.toNanos(50);

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<List<String>> groups = Collections.synchronizedList(new ArrayList<>());
    private volatile long patience;
    private volatile int most = Integer.MAX_VALUE;
    private volatile Consumer<List<String>> during = group -> {};

    private final GroupWork<String> work = new GroupWork<>() {
        @Override
        public List<String> choose(List<String> waiting) {
            return waiting.subList(0, Math.min(waiting.size(), most));
        }

        @Override
        public void run(List<String> group) {
            groups.add(List.copyOf(group));
            during.accept(group);
        }

        @Override
        public long patienceNanos(int members) {
            return patience;
        }
    };

    @AfterEach
    void endThreads() {
        threads.shutdownNow();
    }

    /** Hands in a task while a group is under way, and waits until it has been handed in. */
    private Future<Boolean> handIn(Batcher<String>.Member member, String task) throws InterruptedException {
        Thread[] owner = new Thread[1];
        CountDownLatch started = new CountDownLatch(1);
        Future<Boolean> result = threads.submit(() -> {
            owner[0] = Thread.currentThread();
            started.countDown();
            return member.perform(task);
        });
        started.await();
        awaitParked(owner[0]);
        return result;
    }

    @Test
    void aMemberAloneDoesItsTaskAtOnceOnItsOwnThread() {
        patience = FOREVER;
        Thread[] ran = new Thread[1];
        during = group -> ran[0] = Thread.currentThread();
        try (Batcher<String>.Member member = new Batcher<>(work, 1).join()) {
            assertThat(member.perform("a")).isTrue();
            assertThat(member.perform("b")).isTrue();
        }
        assertThat(ran[0]).isSameAs(Thread.currentThread());
        assertThat(groups).containsExactly(List.of("a"), List.of("b"));
    }

    @Test
    void whatComesWhileAGroupIsUnderWayIsTheNextGroup() throws Exception {
        Batcher<String> batcher = new Batcher<>(work, 1);
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        during = group -> {
            begun.countDown();
            await(go);
        };
        Future<Boolean> first = threads.submit(() -> batcher.join().perform("a"));
        begun.await();
        List<Future<Boolean>> others = new ArrayList<>();
        for (String task : List.of("b", "c", "d")) {
            others.add(handIn(batcher.join(), task));
        }
        go.countDown();
        assertThat(first.get()).isTrue();
        for (Future<Boolean> other : others) {
            assertThat(other.get()).isTrue();
        }
        assertThat(groups).containsExactly(List.of("a"), List.of("b", "c", "d"));
    }

    @Test
    void membersStayInStepOnceTheyHaveMet() throws Exception {
        Batcher<String> batcher = new Batcher<>(work, 1);
        patience = FOREVER;
        int rounds = 50;
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        during = group -> {
            begun.countDown();
            await(go);
        };
        List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            String name = "m" + i;
            Thread[] owner = new Thread[1];
            CountDownLatch started = new CountDownLatch(1);
            all.add(threads.submit(() -> {
                owner[0] = Thread.currentThread();
                started.countDown();
                try (Batcher<String>.Member member = batcher.join()) {
                    for (int round = 0; round < rounds; round++) {
                        member.perform(name);
                    }
                }
            }));
            started.await();
            awaitParked(owner[0]);
        }
        go.countDown();
        for (Future<?> one : all) {
            one.get();
        }
        // The first came alone; from then on no one goes ahead of the others, until it has done all of its tasks.
        assertThat(groups.getFirst()).containsExactly("m0");
        assertThat(groups.subList(1, rounds))
                .hasSize(rounds - 1)
                .allSatisfy(group -> assertThat(group).hasSize(4));
        assertThat(groups.subList(rounds, groups.size()))
                .singleElement()
                .satisfies(group -> assertThat(group).containsExactlyInAnyOrder("m1", "m2", "m3"));
    }

    private static void awaitParked(Thread thread) {
        while (thread.getState() != Thread.State.WAITING && thread.getState() != Thread.State.TIMED_WAITING) {
            Thread.onSpinWait();
        }
    }

    @Test
    void aMemberThatStaysAwayIsWaitedForOnceOnly() {
        Batcher<String> batcher = new Batcher<>(work, 1);
        patience = TimeUnit.MILLISECONDS.toNanos(20);
        try (Batcher<String>.Member away = batcher.join();
                Batcher<String>.Member busy = batcher.join()) {
            away.perform("away");
            away.perform("away");
            long start = System.nanoTime();
            int rounds = 1000;
            for (int i = 0; i < rounds; i++) {
                busy.perform("busy");
            }
            assertThat(System.nanoTime() - start).isLessThan(rounds * patience / 2);
        }
    }

    @Test
    void noOneWaitsForAMemberThatHasLeft() throws Exception {
        Batcher<String> batcher = new Batcher<>(work, 1);
        patience = FOREVER;
        Batcher<String>.Member leaving = batcher.join();
        leaving.perform("a");
        leaving.perform("a"); // in time: expected from now on
        try (Batcher<String>.Member staying = batcher.join()) {
            Future<Boolean> waits = handIn(staying, "b");
            assertThat(waits.isDone()).isFalse();
            leaving.close();
            assertThat(waits.get()).isTrue();
        }
        assertThat(batcher.members()).isZero();
    }

    @Test
    void groupsAreMadeInTheOrderOfArrivalAsFarAsTasksFit() throws Exception {
        Batcher<String> batcher = new Batcher<>(work, 1);
        most = 2;
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        during = group -> {
            begun.countDown();
            await(go);
        };
        List<Future<Boolean>> all = new ArrayList<>();
        all.add(threads.submit(() -> batcher.join().perform("a")));
        begun.await();
        for (String task : List.of("b", "c", "d", "e", "f")) {
            all.add(handIn(batcher.join(), task));
        }
        go.countDown();
        for (Future<Boolean> one : all) {
            assertThat(one.get()).isTrue();
        }
        assertThat(groups).containsExactly(List.of("a"), List.of("b", "c"), List.of("d", "e"), List.of("f"));
    }

    @Test
    void severalGroupsAreUnderWayAtOnceWhereThereAreLanes() throws Exception {
        Batcher<String> batcher = new Batcher<>(work, 2);
        patience = FOREVER;
        CyclicBarrier bothUnderWay = new CyclicBarrier(2);
        during = group -> await(bothUnderWay);
        Future<Boolean> a = threads.submit(() -> batcher.join().perform("a"));
        Future<Boolean> b = threads.submit(() -> batcher.join().perform("b"));
        assertThat(a.get()).isTrue();
        assertThat(b.get()).isTrue();
    }

    @Test
    void anInterruptWithdrawsATaskThatHasNotBegun() throws Exception {
        Batcher<String> batcher = new Batcher<>(work, 1);
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        during = group -> {
            begun.countDown();
            await(go);
        };
        Future<Boolean> running = threads.submit(() -> batcher.join().perform("running"));
        begun.await();
        CountDownLatch started = new CountDownLatch(1);
        boolean[] flagKept = new boolean[1];
        boolean[] done = new boolean[1];
        Thread waiter = new Thread(() -> {
            started.countDown();
            done[0] = batcher.join().perform("withdrawn");
            flagKept[0] = Thread.currentThread().isInterrupted();
        });
        waiter.start();
        started.await();
        waiter.interrupt();
        waiter.join();
        assertThat(done[0]).isFalse();
        assertThat(flagKept[0]).isTrue();
        Future<Boolean> next = handIn(batcher.join(), "next");
        go.countDown();
        assertThat(running.get()).isTrue();
        assertThat(next.get()).isTrue();
        assertThat(groups).containsExactly(List.of("running"), List.of("next"));
    }

    @Test
    void anInterruptDuringAGroupIsKeptAndTheTaskDone() throws Exception {
        Batcher<String> batcher = new Batcher<>(work, 1);
        patience = FOREVER;
        during = group -> Thread.currentThread().interrupt();
        Future<Boolean> kept = threads.submit(() -> {
            boolean done = batcher.join().perform("a");
            return done && Thread.interrupted();
        });
        assertThat(kept.get()).isTrue();
    }

    @Test
    void aFaultOfTheWorkFailsEveryMemberOfTheGroupAndNoOneElse() throws Exception {
        Batcher<String> batcher = new Batcher<>(work, 1);
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        during = group -> {
            begun.countDown();
            await(go);
            if (group.contains("b")) {
                throw new IllegalStateException("broken");
            }
        };
        Future<Boolean> a = threads.submit(() -> batcher.join().perform("a"));
        begun.await();
        Batcher<String>.Member member = batcher.join();
        Future<Boolean> b = handIn(member, "b");
        Future<Boolean> c = handIn(batcher.join(), "c");
        go.countDown();
        assertThat(a.get()).isTrue();
        assertThatThrownBy(b::get).hasRootCauseMessage("broken");
        assertThatThrownBy(c::get).hasRootCauseMessage("broken");
        assertThat(member.perform("d")).isTrue();
    }

    @Test
    void manyThreadsLoseNoTaskAndDoNoneTwice() throws Exception {
        for (int lanes : new int[] {1, 2}) {
            Batcher<String> batcher = new Batcher<>(work, lanes);
            patience = TimeUnit.MICROSECONDS.toNanos(100);
            groups.clear();
            int members = 16;
            int rounds = 500;
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < members; i++) {
                int number = i;
                all.add(threads.submit(() -> {
                    try (Batcher<String>.Member member = batcher.join()) {
                        for (int round = 0; round < rounds; round++) {
                            member.perform(number + ":" + round);
                        }
                    }
                }));
            }
            for (Future<?> one : all) {
                one.get();
            }
            List<String> done = groups.stream().flatMap(List::stream).toList();
            assertThat(done).hasSize(members * rounds).doesNotHaveDuplicates();
            assertThat(batcher.members()).isZero();
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void await(CyclicBarrier barrier) {
        try {
            barrier.await();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
