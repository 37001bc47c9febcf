package io.prism.decode;

import io.prism.spi.HiddenStateRequest;
import io.prism.spi.TargetModel;
import io.prism.spi.TargetSession;
import io.prism.tree.CostModel;
import io.prism.tree.TokenTree;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Times passes of the real target in the background while no request runs, which also warms it up: small sizes to large,
 * again and again, so that the last measurements are those of compiled code. Requests that come first are not delayed
 * but for the pass under way; their own passes are observed instead.
 */
final class StartupMeasurement implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(StartupMeasurement.class);

    /** Time spent in passes, after which it ends with the sweep. */
    private static final long BUDGET_NANOS = 2_000_000_000L;

    private static final int LEAST_SWEEPS = 2;
    private static final int MOST_SWEEPS = 200;

    /** The median is taken over this many last measurements of a size. */
    private static final int KEPT = 9;

    /** Larger sizes than one that costs this many one-row passes are of no use to a tree. */
    private static final double USELESS = 12;

    private static final int PREFIX = 32;
    private static final long POLL_MILLIS = 20;

    private final TargetModel target;
    private final HiddenStateRequest states;
    private final CostModel cost;
    private final BooleanSupplier busy;
    private final CountDownLatch done = new CountDownLatch(1);
    private final Thread thread;
    private volatile boolean cancelled;

    /** @param busy whether a request runs */
    StartupMeasurement(TargetModel target, HiddenStateRequest states, CostModel cost, BooleanSupplier busy) {
        this.target = target;
        this.states = states;
        this.cost = cost;
        this.busy = busy;
        this.thread = Thread.ofPlatform().daemon().name("prism-measure").unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    /** Waits for the end; false after the time-out. */
    boolean await(Duration timeout) throws InterruptedException {
        return done.await(timeout.toNanos(), TimeUnit.NANOSECONDS);
    }

    private void run() {
        try (TargetSession session = target.openSession(states)) {
            measure(session);
        } catch (RuntimeException | Error e) {
            if (!cancelled) {
                LOG.warn("Could not measure the cost of passes; it is learned from requests instead", e);
            }
        } finally {
            done.countDown();
        }
    }

    private void measure(TargetSession session) {
        int[] knots = cost.knots();
        int vocabulary = target.description().vocabularySize();
        int prefix = Math.min(PREFIX, session.capacity() - 1);
        session.prefill(sampleTokens(prefix, vocabulary), 0, prefix);
        long[][] kept = new long[knots.length][KEPT];
        int sizes = knots.length;
        long spent = 0;
        for (int sweep = 0; sweep < MOST_SWEEPS && (sweep < LEAST_SWEEPS || spent < BUDGET_NANOS); sweep++) {
            for (int i = 0; i < sizes; i++) {
                if (prefix + knots[i] > session.capacity()) {
                    sizes = i;
                    break;
                }
                if (!awaitIdle()) {
                    return;
                }
                TokenTree chain = chain(knots[i], vocabulary);
                long start = System.nanoTime();
                session.verify(chain);
                long nanos = System.nanoTime() - start;
                spent += nanos;
                kept[i][sweep % KEPT] = nanos;
                if (nanos > USELESS * kept[0][sweep % KEPT]) {
                    sizes = i + 1;
                }
            }
            int measured = Math.min(sweep + 1, KEPT);
            for (int i = 0; i < sizes; i++) {
                cost.calibrate(knots[i], Arrays.copyOf(kept[i], measured));
            }
        }
        LOG.debug("Measured passes in {} ms: {}", spent / 1_000_000, cost);
    }

    private static int[] sampleTokens(int count, int vocabulary) {
        int[] tokens = new int[count];
        Arrays.setAll(tokens, i -> (i * 31 + 1) % vocabulary);
        return tokens;
    }

    private static TokenTree chain(int rows, int vocabulary) {
        TokenTree chain = new TokenTree(1 % vocabulary);
        for (int row = 1; row < rows; row++) {
            chain.add(row - 1, row % vocabulary, 0);
        }
        return chain;
    }

    /** Waits until no request runs; false if cancelled. */
    private boolean awaitIdle() {
        while (!cancelled && busy.getAsBoolean()) {
            try {
                Thread.sleep(POLL_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return !cancelled;
    }

    /** Ends it and waits for the pass under way, so that the target may be closed afterwards. */
    @Override
    public void close() {
        cancelled = true;
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
