package io.prism.jlama.generate;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * A model's conversations by session id. Programs that use a new id for every request never say that one is over, so both
 * the KV caches and the histories kept are bounded, the longest unused going first. A conversation whose cache was given
 * back costs a prefill of its history when it is taken up again; one whose history was forgotten begins anew. Thread-safe.
 */
final class Conversations implements AutoCloseable {
    private final int mostCached;
    private final int mostRemembered;
    private final Map<UUID, Conversation> byId = new LinkedHashMap<>(16, 0.75f, true);
    private boolean closed;

    /**
     * @param mostCached conversations that may keep a KV cache while no request uses them
     * @param mostRemembered conversations whose tokens are kept
     */
    Conversations(int mostCached, int mostRemembered) {
        this.mostCached = mostCached;
        this.mostRemembered = mostRemembered;
    }

    /**
     * Gives the conversation to the calling thread, when those that asked before are through with it.
     *
     * @throws IllegalStateException if this thread has it already: a token callback generating in its own session
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
        conversation.lock.lock();
        return conversation;
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

    private void evict() {
        long cached = byId.values().stream().filter(Conversation::isCached).count();
        Iterator<Conversation> longestUnusedFirst = byId.values().iterator();
        while (longestUnusedFirst.hasNext() && (cached > mostCached || byId.size() > mostRemembered)) {
            Conversation conversation = longestUnusedFirst.next();
            if (conversation.users > 0) {
                continue;
            }
            if (conversation.isCached() && (cached > mostCached || byId.size() > mostRemembered)) {
                conversation.drop();
                cached--;
            }
            if (byId.size() > mostRemembered) {
                longestUnusedFirst.remove();
            }
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
