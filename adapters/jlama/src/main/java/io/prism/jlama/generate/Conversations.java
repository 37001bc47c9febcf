package io.prism.jlama.generate;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CancellationException;

/**
 * A model's conversations by session id. Programs that use a new id for every request never say that one is over, so both
 * the KV caches and the histories kept are bounded, the longest unused going first. A conversation whose cache was given
 * back costs a prefill of its history when it is taken up again; one whose history was forgotten begins anew. Thread-safe.
 */
final class Conversations implements AutoCloseable {
    private final int mostCached;
    private final long mostCachedBytes;
    private final int mostRemembered;
    private final Map<UUID, Conversation> byId = new LinkedHashMap<>(16, 0.75f, true);
    private boolean closed;

    /**
     * @param mostCached conversations that may keep a KV cache while no request uses them
     * @param mostCachedBytes bytes that these KV caches may take together; the last one used is kept all the same
     * @param mostRemembered conversations whose tokens are kept
     */
    Conversations(int mostCached, long mostCachedBytes, int mostRemembered) {
        this.mostCached = mostCached;
        this.mostCachedBytes = mostCachedBytes;
        this.mostRemembered = mostRemembered;
    }

    /**
     * Gives the conversation to the calling thread, when those that asked before are through with it.
     *
     * @throws IllegalStateException if this thread has it already: a token callback generating in its own session
     * @throws CancellationException if the thread is interrupted before its turn has come; it stays interrupted
     */
    Conversation acquire(UUID id) {
        Conversation conversation;
        synchronized (byId) {
            if (closed) {
                throw new IllegalStateException("The model was closed");
            }
            conversation = byId.computeIfAbsent(id, Conversation::new);
            if (conversation.lock.isHeldByCurrentThread()) {
                throw new IllegalStateException("Session " + id + " is generating already in this thread; generate in "
                        + "another session, or after the token callback has returned");
            }
            conversation.users++;
        }
        try {
            conversation.lock.lockInterruptibly();
            return conversation;
        } catch (InterruptedException e) {
            synchronized (byId) {
                conversation.users--;
            }
            Thread.currentThread().interrupt();
            CancellationException cancelled =
                    new CancellationException("Interrupted while session " + id + " was in use by another request");
            cancelled.initCause(e);
            throw cancelled;
        }
    }

    void release(Conversation conversation) {
        synchronized (byId) {
            conversation.users--;
            if (closed && conversation.users == 0) {
                conversation.drop();
            }
            evict();
        }
        conversation.lock.unlock();
    }

    Optional<Conversation> find(UUID id) {
        synchronized (byId) {
            return Optional.ofNullable(byId.get(id));
        }
    }

    /** Conversations that requests use or wait for. */
    int active() {
        synchronized (byId) {
            return (int) byId.values().stream().filter(it -> it.users > 0).count();
        }
    }

    /** Bytes of all KV caches, kept or in use. */
    long kvBytes() {
        synchronized (byId) {
            return byId.values().stream().mapToLong(Conversation::heldBytes).sum();
        }
    }

    private void evict() {
        List<Conversation> idle =
                byId.values().stream().filter(it -> it.users == 0).toList();
        List<Conversation> cached = idle.stream().filter(Conversation::isCached).toList();
        int kept = cached.size();
        long bytes = cached.stream().mapToLong(Conversation::cachedBytes).sum();
        for (Conversation longestUnused : cached) {
            if (kept <= mostCached && (bytes <= mostCachedBytes || kept == 1)) {
                break;
            }
            bytes -= longestUnused.cachedBytes();
            kept--;
            longestUnused.drop();
        }
        for (Conversation longestUnused : idle) {
            if (byId.size() <= mostRemembered) {
                break;
            }
            longestUnused.drop();
            byId.remove(longestUnused.id);
        }
    }

    /** Gives back all memory; of a conversation in use, when its request ends. */
    @Override
    public void close() {
        synchronized (byId) {
            closed = true;
            for (Conversation conversation : byId.values()) {
                if (conversation.users == 0) {
                    conversation.drop();
                }
            }
        }
    }
}
