package io.prism.kernels.vector;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A fixed set of daemon threads that share the chunks of one task with the thread that asks.
 *
 * <p>Use: {@link #tryAcquire()}, and if that succeeds any number of {@link #run}, then {@link #release()}. Where it
 * fails another caller has the team: compute on your own thread. {@link #runAll} does that for a single task. Nothing here allocates once the team is up, so a
 * task's arguments go into fields of a task object that is kept and only written between acquire and release.
 *
 * <p>Chunks are handed out one by one from a counter; a worker that arrives when all are taken is not waited for.
 * Idle workers spin for {@value #SPIN_NANOS} ns and then park.
 *
 * <p>Thread-safe.
 */
final class WorkerTeam implements AutoCloseable {

    /** Work that can be done in independent chunks by several threads at once. */
    interface Task {
        /** Does chunk {@code chunk}, counted from 0. */
        void run(int chunk);
    }

    /** A little more than the gap between two matrix products of a decoder layer of a 1B model. */
    static final long SPIN_NANOS = 50_000;

    private static final int SPINS_PER_CLOCK_CHECK = 64;
    private static final int SPINS_BEFORE_YIELD = 20_000;

    /** Set in {@link #state} while workers may enter; bits below count workers inside, bits above number the runs. */
    private static final long OPEN = 1L << 16;

    private static final long INSIDE = OPEN - 1;
    private static final long NEXT_RUN = OPEN << 1;

    private final int threads;
    private final Worker[] workers;
    private final AtomicBoolean taken = new AtomicBoolean();
    private final AtomicLong state = new AtomicLong();
    private final AtomicInteger nextChunk = new AtomicInteger();
    private volatile boolean closed;

    // written by the owner of the team before a run opens, read by workers inside it
    private @Nullable Task task;
    private int chunks;
    private volatile @Nullable Throwable failure;

    /**
     * Starts the workers.
     *
     * @param threads threads that compute, the caller's included; at least 1
     */
    WorkerTeam(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("A team of " + threads + " threads: expected at least 1");
        }
        this.threads = threads;
        this.workers = new Worker[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker("prism-kernels-" + (i + 1));
            workers[i].start();
        }
    }

    /** Threads that compute, the caller's included. */
    int threads() {
        return threads;
    }

    /** Takes the team for the calling thread, if no one has it and it has workers. */
    boolean tryAcquire() {
        return workers.length > 0 && !closed && taken.compareAndSet(false, true);
    }

    /** Gives the team back; only for the thread that acquired it. */
    void release() {
        task = null;
        taken.set(false);
    }

    /**
     * Runs all chunks of a task and returns when they are done; only for the thread that acquired the team.
     *
     * <p>If a chunk throws, chunks not yet begun are left out and the first failure is thrown here.
     *
     * @param work what to do
     * @param count number of chunks
     */
    void run(Task work, int count) {
        task = work;
        chunks = count;
        nextChunk.set(0);
        state.addAndGet(NEXT_RUN | OPEN);
        for (Worker worker : workers) {
            if (worker.parked) {
                LockSupport.unpark(worker);
            }
        }
        runChunks(work, count);
        long now = state.addAndGet(-OPEN);
        for (int spins = 0; (now & INSIDE) != 0; spins++) {
            pause(spins);
            now = state.get();
        }
        Throwable thrown = failure;
        if (thrown != null) {
            failure = null;
            rethrow(thrown);
        }
    }

    /**
     * Runs all chunks of a task: on the team if {@code share} says so and no one else has it, otherwise on the calling
     * thread.
     */
    void runAll(Task work, int count, boolean share) {
        if (share && tryAcquire()) {
            try {
                run(work, count);
            } finally {
                release();
            }
        } else {
            for (int chunk = 0; chunk < count; chunk++) {
                work.run(chunk);
            }
        }
    }

    private void runChunks(Task work, int count) {
        try {
            for (int chunk = nextChunk.getAndIncrement(); chunk < count; chunk = nextChunk.getAndIncrement()) {
                work.run(chunk);
            }
        } catch (Throwable e) { // handed to the caller of run(), whichever thread this is
            nextChunk.set(count);
            failure = e;
        }
    }

    private static void pause(int spins) {
        if (spins < SPINS_BEFORE_YIELD) {
            Thread.onSpinWait();
        } else {
            Thread.yield();
        }
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> void rethrow(Throwable e) throws E {
        throw (E) e;
    }

    /** Stops the workers; a run in progress is finished by its caller. */
    @Override
    public void close() {
        closed = true;
        for (Worker worker : workers) {
            LockSupport.unpark(worker);
        }
    }

    private final class Worker extends Thread {
        private volatile boolean parked;

        Worker(String name) {
            super(name);
            setDaemon(true);
        }

        @Override
        public void run() {
            long seen = 0;
            while (!closed) {
                long now = state.get();
                if ((now & OPEN) == 0 || (now & -NEXT_RUN) == seen) {
                    awaitRun(seen);
                } else if (state.compareAndSet(now, now + 1)) {
                    seen = now & -NEXT_RUN;
                    Task work = task;
                    if (work != null) {
                        runChunks(work, chunks);
                    }
                    state.decrementAndGet();
                }
            }
        }

        private void awaitRun(long seen) {
            long deadline = System.nanoTime() + SPIN_NANOS;
            int spins = 0;
            while (!mayEnter(seen)) {
                Thread.onSpinWait();
                if (++spins % SPINS_PER_CLOCK_CHECK == 0 && System.nanoTime() - deadline > 0) {
                    parked = true;
                    while (!mayEnter(seen)) {
                        LockSupport.park(WorkerTeam.this);
                    }
                    parked = false;
                }
            }
        }

        private boolean mayEnter(long seen) {
            long now = state.get();
            return closed || ((now & OPEN) != 0 && (now & -NEXT_RUN) != seen);
        }
    }
}
