package io.prism.jlama.generate;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Metrics;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.prism.decode.FallbackCause;
import io.prism.decode.RequestStatistics;
import io.prism.spi.PrismException;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/**
 * Adds requests up in Micrometer, under vLLM's names where it has them. All are tagged with the model.
 *
 * <table>
 * <caption>Meters</caption>
 * <tr><td>{@code spec.decode.num.drafts}<td>passes that verified at least one draft token
 * <tr><td>{@code spec.decode.num.draft.tokens}<td>draft tokens verified
 * <tr><td>{@code spec.decode.num.accepted.tokens}<td>draft tokens accepted
 * <tr><td>{@code spec.decode.num.drafts.per.pos}<td>drafts at least this deep, by {@code position} from 0
 * <tr><td>{@code spec.decode.num.accepted.tokens.per.pos}<td>of these, tokens accepted
 * <tr><td>{@code spec.decode.num.generated.tokens}, {@code .passes}<td>tokens from passes after the prompt's, and these
 *     passes: their quotient is the acceptance length
 * <tr><td>{@code spec.decode.num.fallbacks}<td>passes that should have speculated and did not, by {@code cause}
 * <tr><td>{@code spec.decode.acceptance.length}<td>distribution over requests
 * <tr><td>{@code spec.decode.time}<td>timer over requests, by {@code part}: prefill, draft, verify, wait, other
 * <tr><td>{@code spec.decode.sessions.active}, {@code spec.decode.kv.bytes}<td>gauges: sessions that generate now, and
 *     memory of all KV caches
 * </table>
 *
 * Thread-safe. Closing takes the gauges away; what was counted stays.
 */
final class MicrometerStatistics implements BiConsumer<UUID, RequestStatistics>, AutoCloseable {
    private static final String PREFIX = "spec.decode.";

    private final MeterRegistry registry;
    private final Tags tags;
    private final List<Meter> gauges;

    MicrometerStatistics(MeterRegistry registry, String model, Conversations conversations) {
        this.registry = registry;
        this.tags = Tags.of("model", model);
        this.gauges = List.of(
                Gauge.builder(PREFIX + "sessions.active", conversations, Conversations::active)
                        .tags(tags)
                        .register(registry),
                Gauge.builder(PREFIX + "kv.bytes", conversations, Conversations::kvBytes)
                        .tags(tags)
                        .baseUnit("bytes")
                        .register(registry));
    }

    /**
     * Counts in the global registry.
     *
     * @throws PrismException if Micrometer is not on the class path
     */
    static MicrometerStatistics global(String model, Conversations conversations) {
        try {
            Class.forName("io.micrometer.core.instrument.Metrics", false, MicrometerStatistics.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new PrismException(
                    "prism.stats=micrometer, but Micrometer is not on the class path beside Jlama: add"
                            + " io.micrometer:micrometer-core, or set prism.stats to log or off.",
                    e);
        }
        return new MicrometerStatistics(Global.registry(), model, conversations);
    }

    /** Apart, as verifying it loads Micrometer. */
    private static final class Global {
        static MeterRegistry registry() {
            return Metrics.globalRegistry;
        }
    }

    @Override
    public void accept(UUID session, RequestStatistics request) {
        count("num.drafts", tags, request.draftRounds());
        count("num.draft.tokens", tags, request.drafted());
        count("num.accepted.tokens", tags, request.accepted());
        for (int step = 0; step < request.acceptedByStep().length; step++) {
            Tags position = tags.and(Tag.of("position", String.valueOf(step)));
            count("num.drafts.per.pos", position, request.draftedByStep()[step]);
            count("num.accepted.tokens.per.pos", position, request.acceptedByStep()[step]);
        }
        count("num.generated.tokens", tags, request.passTokens());
        count("num.passes", tags, request.rounds());
        for (FallbackCause cause : FallbackCause.values()) {
            int fallbacks = request.fallbacks().getOrDefault(cause, 0);
            count("num.fallbacks", tags.and(Tag.of("cause", cause.name().toLowerCase(Locale.ROOT))), fallbacks);
        }
        if (request.rounds() > 0) {
            DistributionSummary.builder(PREFIX + "acceptance.length")
                    .tags(tags)
                    .register(registry)
                    .record(request.acceptanceLength());
        }
        time("prefill", request.prefillNanos());
        time("draft", request.draftNanos());
        time("verify", request.verifyNanos());
        time("wait", request.waitNanos());
        time("other", request.otherNanos());
    }

    private void count(String name, Tags tagged, int amount) {
        Counter.builder(PREFIX + name).tags(tagged).register(registry).increment(amount);
    }

    private void time(String part, long nanos) {
        Timer.builder(PREFIX + "time")
                .tags(tags.and(Tag.of("part", part)))
                .register(registry)
                .record(nanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void close() {
        gauges.forEach(registry::remove);
    }
}
