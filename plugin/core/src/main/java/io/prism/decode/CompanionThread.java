package io.prism.decode;

import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A daemon thread that runs one task at a time for its owner, who waits for it no longer than a time-out. Both sides
 * spin for some microseconds before they park, as a hand-off through the scheduler costs more than a small drafter.
 */
final class CompanionThread {
    private static final long SPIN_NANOS = 10_000;

    private final Thread thread;
    private volatile @Nullable Runnable task;
    private volatile @Nullable Thread waiting;
    private volatile @Nullable Runnable farewell;

    /** Written by the companion before it clears {@link #task}, read by the owner after. */
    private @Nullable Throwable failure;

    CompanionThread(String name) {
        thread = Thread.ofPlatform().daemon().name(name).start(this::loop);
    }

    /**
     * Runs a task.
     *
     * @return whether it ended in time; if not, the thread is of no more use and must be given up with {@link #stop}
     * @throws Throwable what the task threw
     */
    boolean run(Runnable work, long timeoutNanos) throws Throwable {
        long deadline = System.nanoTime() + timeoutNanos;
        waiting = Thread.currentThread();
        task = work;
        LockSupport.unpark(thread);
        boolean interrupted = false;
        long spinUntil = System.nanoTime() + SPIN_NANOS;
        while (task != null) {
            long now = System.nanoTime();
            if (now - deadline >= 0) {
                break;
            }
            if (now - spinUntil < 0) {
                Thread.onSpinWait();
            } else {
                LockSupport.parkNanos(this, deadline - now);
                interrupted |= Thread.interrupted();
            }
        }
        waiting = null;
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (task != null) {
            return false;
        }
        Throwable thrown = failure;
        if (thrown != null) {
            throw thrown;
        }
        return true;
    }

    /**
     * Ends the thread, interrupting its task if it is in one.
     *
     * @param last runs on the thread at its end, whenever the task lets it
     */
    void stop(Runnable last) {
        farewell = last;
        if (task != null) {
            thread.interrupt();
        }
        LockSupport.unpark(thread);
    }

    private void loop() {
        while (true) {
            Runnable work = await();
            if (work == null) {
                break;
            }
            Throwable thrown = null;
            try {
                work.run();
            } catch (Throwable t) { // handed to the owner, who decides
                thrown = t;
            }
            failure = thrown;
            task = null;
            LockSupport.unpark(waiting);
        }
        Runnable last = farewell;
        if (last != null) {
            last.run();
        }
    }

    private @Nullable Runnable await() {
        long spinUntil = System.nanoTime() + SPIN_NANOS;
        while (true) {
            if (farewell != null) {
                return null;
            }
            Runnable work = task;
            if (work != null) {
                return work;
            }
            if (System.nanoTime() - spinUntil < 0) {
                Thread.onSpinWait();
            } else {
                LockSupport.park(this);
                Thread.interrupted(); // whatever set it, parking must go on
            }
        }
    }
}
