package io.prism.training.command;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Makes an interrupted process wait until the run has left LibTorch, which crashes when the process exits while it computes.
 * While it is open, an interruption is seen by {@link #check}.
 */
final class StopSignal implements AutoCloseable {
    /** Longer than a step or a validation takes. */
    private static final long PATIENCE_SECONDS = 60;

    private final CountDownLatch left = new CountDownLatch(1);
    private final Thread hook = new Thread(this::ask, "prism-train-stop");
    private volatile boolean asked;

    StopSignal() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** @throws Stopped if the process was asked to stop */
    void check() {
        if (asked) {
            throw new Stopped();
        }
    }

    private void ask() {
        asked = true;
        try {
            if (!left.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                Runtime.getRuntime().halt(1);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        left.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // too late: the process is going down and has run the hook
            asked = true;
        }
    }

    /** Ends a run between two steps. */
    static final class Stopped extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private Stopped() {
            super("asked to stop", null, false, false);
        }
    }
}
