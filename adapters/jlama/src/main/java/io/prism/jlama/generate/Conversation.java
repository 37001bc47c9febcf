package io.prism.jlama.generate;

import io.prism.decode.DecodingSession;
import io.prism.decode.RequestStatistics;
import java.util.Arrays;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One of a model's sessions: the tokens said so far and, while memory allows, the decoding session with their KV cache.
 * Used by one request at a time, which holds {@link #lock}.
 */
final class Conversation {
    final UUID id;
    final ReentrantLock lock = new ReentrantLock();

    /** Requests that use it or wait for it; guarded by {@link Conversations}. */
    int users;

    private int[] history = {};
    private volatile @Nullable DecodingSession session;
    private volatile @Nullable DecodingSession running;
    private volatile @Nullable RequestStatistics lastStatistics;

    Conversation(UUID id) {
        this.id = id;
    }

    int length() {
        return history.length;
    }

    boolean isCached() {
        return session != null;
    }

    /** Bytes of KV cache kept; only meaningful while no request uses the conversation. */
    long cachedBytes() {
        DecodingSession cached = session;
        return cached == null ? 0 : cached.kvBytes();
    }

    /** A request begins to run. */
    void begin(DecodingSession used) {
        running = used;
    }

    /** It has ended, well or not. */
    void end() {
        running = null;
    }

    /** Bytes of KV cache that are kept or in use; about right while a request runs. */
    long heldBytes() {
        DecodingSession used = running;
        return used == null ? cachedBytes() : used.kvBytes();
    }

    Optional<RequestStatistics> lastStatistics() {
        return Optional.ofNullable(lastStatistics);
    }

    /** Whether a prompt repeats all that was said so far and goes on from there. */
    boolean isContinuedBy(int[] prompt) {
        return prompt.length > history.length && Arrays.equals(prompt, 0, history.length, history, 0, history.length);
    }

    /** The decoding session if its KV cache is still there; else none, and the history has to be run again. */
    Optional<DecodingSession> session() {
        return Optional.ofNullable(session);
    }

    /** A request has ended well. */
    void advance(DecodingSession used, int[] prompt, int[] answer, RequestStatistics statistics) {
        int[] longer = Arrays.copyOf(history, history.length + prompt.length + answer.length);
        System.arraycopy(prompt, 0, longer, history.length, prompt.length);
        System.arraycopy(answer, 0, longer, history.length + prompt.length, answer.length);
        history = longer;
        session = used;
        lastStatistics = statistics;
    }

    /** What has to be run before a prompt if there is no decoding session any more. */
    int[] history() {
        return history;
    }

    /** Gives back the KV cache; the tokens stay. */
    void drop() {
        DecodingSession dropped = session;
        session = null;
        if (dropped != null) {
            dropped.close();
        }
    }

    /** Forgets everything. */
    void restart() {
        drop();
        history = new int[0];
    }
}
