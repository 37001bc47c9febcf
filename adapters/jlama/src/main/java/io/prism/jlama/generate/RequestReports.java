package io.prism.jlama.generate;

import io.prism.decode.RequestStatistics;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells everyone who listens about requests that have ended. Thread-safe. */
final class RequestReports {
    private static final Logger LOG = LoggerFactory.getLogger(RequestReports.class);

    private final List<BiConsumer<UUID, RequestStatistics>> listeners = new CopyOnWriteArrayList<>();

    void add(BiConsumer<UUID, RequestStatistics> listener) {
        listeners.add(listener);
    }

    void remove(BiConsumer<UUID, RequestStatistics> listener) {
        listeners.remove(listener);
    }

    /** A listener that fails is logged: the text has been generated all the same. */
    void report(UUID session, RequestStatistics statistics) {
        for (BiConsumer<UUID, RequestStatistics> listener : listeners) {
            try {
                listener.accept(session, statistics);
            } catch (RuntimeException e) {
                LOG.error("A listener to request statistics failed", e);
            }
        }
    }
}
