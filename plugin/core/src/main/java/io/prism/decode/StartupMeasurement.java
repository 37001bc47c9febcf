package io.prism.decode;

import io.prism.spi.ExpectedOutput;
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
 * again and again. The fastest measurement of a size counts, as whatever disturbs one (the compiler, other programs) only
 * makes it slower. Requests that come first are not delayed but for the pass under way; their own passes are observed
 * instead.
 */
final class StartupMeasurement implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(StartupMeasurement.class);

    /** Time spent on one size, after which it is not measured again. */
    private static final long NANOS_PER_SIZE = 150_000_000L;

    /** A size is measured this often even if that takes longer: the first passes of a size are those of cold code. */
    private static final int LEAST_MEASUREMENTS = 3;

    private static final int MOST_MEASUREMENTS = 200;

    /** Larger sizes than one that costs this many one-row passes are of no use to a tree. */
    private static final double USELESS = 6;

    private static final int PREFIX = 32;
    private static final long POLL_MILLIS = 20;

    private final TargetModel target;
    private final HiddenStateRequest states;
    private final PassCosts costs;
    private final BooleanSupplier busy;
    private final CountDownLatch done = new CountDownLatch(1);
    private final Thread thread;
    private volatile boolean cancelled;

    /** @param busy whether a request runs */
    StartupMeasurement(TargetModel target, HiddenStateRequest states, PassCosts costs, BooleanSupplier busy) {
        this.target = target;
        this.states = states;
        this.costs = costs;
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
            measure(session, costs.logits());
            if (costs.tokens() != costs.logits()) {
                session.truncate(0);
                session.expect(ExpectedOutput.GREEDY_TOKENS);
                measure(session, costs.tokens());
            }
        } catch (RuntimeException | Error e) {
            if (!cancelled) {
                LOG.warn("Could not measure the cost of passes; it is learned from requests instead", e);
            }
        } finally {
            done.countDown();
        }
    }

    private void measure(TargetSession session, CostModel cost) {
        int[] knots = cost.knots();
        int vocabulary = target.description().vocabularySize();
        int prefix = Math.min(PREFIX, session.capacity() - 1);
        session.prefill(sampleTokens(prefix, vocabulary), 0, prefix);
        long[] best = new long[knots.length];
        Arrays.fill(best, Long.MAX_VALUE);
        long[] spent = new long[knots.length];
        int left = 1;
        for (int sweep = 0; left > 0 && sweep < MOST_MEASUREMENTS; sweep++) {
            left = 0;
            for (int i = 0; i < knots.length && prefix + knots[i] <= session.capacity(); i++) {
                if (sweep < LEAST_MEASUREMENTS || spent[i] < NANOS_PER_SIZE) {
                    if (!awaitIdle()) {
                        return;
                    }
                    long nanos = time(session, chain(knots[i], vocabulary));
                    spent[i] += nanos;
                    best[i] = Math.min(best[i], nanos);
                    left++;
                }
                if (best[i] > USELESS * best[0]) {
                    break;
                }
            }
            calibrate(cost, best);
        }
        LOG.debug("Measured passes: {}", cost);
    }

    private static long time(TargetSession session, TokenTree tree) {
        long start = System.nanoTime();
        session.verify(tree);
        return System.nanoTime() - start;
    }

    /** A pass takes no longer than one of more rows: where it seemed to, it was disturbed. */
    private static void calibrate(CostModel cost, long[] best) {
        int[] knots = cost.knots();
        long least = Long.MAX_VALUE;
        for (int i = knots.length - 1; i >= 0; i--) {
            least = Math.min(least, best[i]);
            if (best[i] < Long.MAX_VALUE) {
                cost.calibrate(knots[i], new long[] {least});
            }
        }
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
