package io.prism.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;

/** Checks that code on the calling thread stops allocating once the JIT has compiled it. */
final class AllocationProbe {
    /** How long the JIT compiler may take on a busy machine; it is done in seconds on a calm one. */
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    private static final int CALLS = 100;

    /** The bean's own answer to one question may count; a boxed vector in each call would count 16 bytes and more. */
    private static final long NOISE_BYTES = CALLS;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private AllocationProbe() {}

    /** Repeats {@code code} until a series of calls allocates nothing; fails if that never happens. */
    static void assertSettlesAtZero(String what, Runnable code) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        long bytes;
        do {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            for (int call = 0; call < CALLS; call++) {
                code.run();
            }
            bytes = THREADS.getCurrentThreadAllocatedBytes() - before;
        } while (bytes > NOISE_BYTES && System.nanoTime() < deadline);
        assertThat(bytes).as("bytes allocated by %d calls of %s", CALLS, what).isLessThanOrEqualTo(NOISE_BYTES);
    }
}
