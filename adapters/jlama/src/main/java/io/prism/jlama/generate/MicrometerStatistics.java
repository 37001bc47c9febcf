package io.prism.jlama.generate;

import io.micrometer.core.instrument.Metrics;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.prism.decode.RequestStatistics;
import io.prism.spi.PrismException;
import java.util.UUID;
import java.util.function.BiConsumer;

/**
 * Adds requests up in Micrometer's global registry, under vLLM's names: {@code spec_decode_num_drafts},
 * {@code spec_decode_num_draft_tokens}, {@code spec_decode_num_accepted_tokens} and, by position in the draft,
 * {@code spec_decode_num_accepted_tokens_per_pos}; besides, {@code spec_decode_num_generated_tokens} and
 * {@code spec_decode_num_passes}, whose quotient is the acceptance length. All are tagged with the model. Thread-safe.
 */
final class MicrometerStatistics implements BiConsumer<UUID, RequestStatistics> {
    private static final String PREFIX = "spec.decode.num.";

    private final Tags tags;

    private MicrometerStatistics(String model) {
        this.tags = Tags.of("model", model);
    }

    /** @throws PrismException if Micrometer is not on the class path */
    static MicrometerStatistics of(String model) {
        try {
            Class.forName("io.micrometer.core.instrument.Metrics", false, MicrometerStatistics.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new PrismException(
                    "prism.stats=micrometer, but Micrometer is not on the class path beside Jlama: add"
                            + " io.micrometer:micrometer-core, or set prism.stats to log or off.",
                    e);
        }
        return new MicrometerStatistics(model);
    }

    @Override
    public void accept(UUID session, RequestStatistics request) {
        count("drafts", tags, request.draftRounds());
        count("draft.tokens", tags, request.drafted());
        count("accepted.tokens", tags, request.accepted());
        int[] acceptedByStep = request.acceptedByStep();
        for (int step = 0; step < acceptedByStep.length; step++) {
            count("accepted.tokens.per.pos", tags.and(Tag.of("position", String.valueOf(step))), acceptedByStep[step]);
        }
        count("generated.tokens", tags, request.passTokens());
        count("passes", tags, request.rounds());
    }

    private static void count(String name, Tags tags, int amount) {
        Metrics.counter(PREFIX + name, tags).increment(amount);
    }
}
