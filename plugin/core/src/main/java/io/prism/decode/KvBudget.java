package io.prism.decode;

import io.prism.spi.PrismException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Bounds the memory of the KV caches of requests that run at the same time. A request leases what it is going to need
 * soon and extends the lease as it grows; whoever finds no room waits until others have ended, first come, first served.
 *
 * <p>Counted in tokens of history, at the bytes a token of target and drafter together.
 *
 * <p>The oldest request never waits, so that there always is one that gets on: the most that is ever in use is the budget
 * and what one request may need.
 *
 * <p>Thread-safe.
 */
final class KvBudget {
    /** Tokens that a request leases ahead. */
    static final int AHEAD = 256;

    private static final double MIB = 1 << 20;

    private final long total;
    private final long bytesPerToken;

    // guarded by this
    private final List<Lease> leases = new ArrayList<>();
    private final Deque<Object> newcomers = new ArrayDeque<>();
    private int extending;
    private long leased;

    /**
     * @param total bytes
     * @param bytesPerToken of all caches of a request; 0 if unknown; then nothing is bounded
     */
    KvBudget(long total, long bytesPerToken) {
        this.total = total;
        this.bytesPerToken = bytesPerToken;
    }

    /**
     * Leases memory for a history of {@code tokens} and a little more, when there is room.
     *
     * @param limit the longest that the history may become
     * @return null if the thread was interrupted while it waited; it stays interrupted
     * @throws PrismException if there is no room and the thread must not wait for it, as it has a lease already: a token
     *     callback that generates
     */
    synchronized @Nullable Lease lease(int tokens, int limit) {
        int covered = Math.min(limit, tokens + AHEAD);
        long bytes = covered * bytesPerToken;
        Thread self = Thread.currentThread();
        if (leases.stream().anyMatch(lease -> lease.owner == self)) {
            if (bytes > total - leased) {
                throw new PrismException(String.format(
                        "No room for the KV cache of a request made from another one's token callback: it needs %.0f MiB,"
                                + " %.0f of %.0f MiB are in use. Generate after the callback has returned, or raise"
                                + " prism.kvmemory",
                        bytes / MIB, leased / MIB, total / MIB));
            }
        } else if (!awaitRoom(bytes)) {
            return null;
        }
        Lease lease = new Lease(self, covered, limit);
        leases.add(lease);
        leased += bytes;
        return lease;
    }

    private boolean awaitRoom(long bytes) {
        Object ticket = new Object();
        newcomers.addLast(ticket);
        try {
            while (newcomers.peekFirst() != ticket || extending > 0 || !(leases.isEmpty() || bytes <= total - leased)) {
                wait();
            }
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            newcomers.remove(ticket);
            notifyAll();
        }
    }

    /** Bytes leased. */
    synchronized long leased() {
        return leased;
    }

    /** A request's share; belongs to one thread. */
    final class Lease implements AutoCloseable {
        private final Thread owner;
        private final int limit;
        private int covered;

        private Lease(Thread owner, int covered, int limit) {
            this.owner = owner;
            this.covered = covered;
            this.limit = limit;
        }

        /**
         * Sees to it that it covers a history of {@code tokens}; waits for room, if need be.
         *
         * @return false if the thread was interrupted while it waited; it stays interrupted
         */
        boolean cover(int tokens) {
            return tokens <= covered || extend(Math.min(limit, tokens + AHEAD) - covered);
        }

        private boolean extend(int more) {
            long bytes = more * bytesPerToken;
            synchronized (KvBudget.this) {
                extending++;
                try {
                    while (bytes > total - leased && !isOldest()) {
                        KvBudget.this.wait();
                    }
                    covered += more;
                    leased += bytes;
                    return true;
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return false;
                } finally {
                    extending--;
                    KvBudget.this.notifyAll();
                }
            }
        }

        /** Whether no other thread has an older lease. */
        private boolean isOldest() {
            return leases.getFirst().owner == owner;
        }

        @Override
        public void close() {
            synchronized (KvBudget.this) {
                leases.remove(this);
                leased -= covered * bytesPerToken;
                KvBudget.this.notifyAll();
            }
        }
    }
}
