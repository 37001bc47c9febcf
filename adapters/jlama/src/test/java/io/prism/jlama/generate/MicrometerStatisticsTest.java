package io.prism.jlama.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.safetensors.prompt.PromptContext;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Metrics;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.prism.config.PrismConfig;
import io.prism.config.TreeSpec;
import io.prism.decode.FallbackCause;
import io.prism.decode.RequestStatistics;
import io.prism.decode.SpeculativeDecoder;
import io.prism.drafter.DrafterSelection;
import io.prism.jlama.internals.ModelMembers;
import io.prism.jlama.target.JlamaTarget;
import io.prism.jlama.testing.TestModels;
import io.prism.kernels.Kernels;
import io.prism.kernels.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.ToIntFunction;
import java.util.function.ToLongFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MicrometerStatisticsTest {
    private static final double NANOS = 1; // times are added up in whole nanoseconds

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

    @TempDir
    private Path folder;

    @Test
    void metersAddUpTheStatisticsOfRequests() {
        RequestReports reports = new RequestReports();
        List<RequestStatistics> requests = new ArrayList<>();
        List<Double> active = new ArrayList<>();
        List<Double> bytes = new ArrayList<>();
        PrismConfig config =
                PrismConfig.DEFAULTS.withStats(PrismConfig.Stats.OFF).withTree(TreeSpec.of(3, 2, 6));
        try (Kernels kernels = TestModels.kernels("scalar");
                AbstractModel model = TestModels.tiny(folder, "llama", Precision.F32);
                JlamaTarget target = JlamaTarget.of(model, kernels, true);
                SpeculativeDecoder decoder = new SpeculativeDecoder(
                        target,
                        DrafterSelection.open(config, Optional.empty(), target).drafter(),
                        kernels,
                        config);
                SpeculativeGenerator generator =
                        new SpeculativeGenerator(model, new ModelMembers(), decoder, config, reports);
                MicrometerStatistics metrics = new MicrometerStatistics(registry, "tiny", generator.conversations())) {
            reports.add(metrics);
            reports.add((session, statistics) -> requests.add(statistics));
            assertThat(gauge("sessions.active")).isZero();
            for (String prompt :
                    List.of("a rose is a rose is a rose is a rose", "to be or not to be or not to be or")) {
                generator.generate(UUID.randomUUID(), PromptContext.of(prompt), 0, 100, (text, time) -> {
                    active.add(gauge("sessions.active"));
                    bytes.add(gauge("kv.bytes"));
                });
            }
            assertThat(active).isNotEmpty().containsOnly(1.0);
            // pages of 64 positions of two layers with two heads of 32 elements, keys and values: 64 KiB each
            assertThat(bytes).allSatisfy(held -> assertThat(held).isGreaterThanOrEqualTo(65536));
            assertThat(gauge("sessions.active")).isZero();
            assertThat(gauge("kv.bytes")).isEqualTo(2 * 2 * 65536); // both conversations, two pages each
        }
        assertThat(registry.find("spec.decode.kv.bytes").meter()).isNull();

        assertThat(counter("num.drafts"))
                .isEqualTo(sum(requests, RequestStatistics::draftRounds))
                .isPositive();
        assertThat(counter("num.draft.tokens")).isEqualTo(sum(requests, RequestStatistics::drafted));
        assertThat(counter("num.accepted.tokens")).isEqualTo(sum(requests, RequestStatistics::accepted));
        assertThat(counter("num.generated.tokens")).isEqualTo(sum(requests, RequestStatistics::passTokens));
        assertThat(counter("num.passes")).isEqualTo(sum(requests, RequestStatistics::rounds));
        assertThat(counter("num.drafts.per.pos", "position", "0"))
                .isEqualTo(sum(requests, request -> request.draftedByStep()[0]));
        assertThat(counter("num.accepted.tokens.per.pos", "position", "0"))
                .isEqualTo(sum(requests, request -> request.acceptedByStep()[0]));
        DistributionSummary length =
                registry.get("spec.decode.acceptance.length").summary();
        assertThat(length.count()).isEqualTo(2);
        assertThat(length.totalAmount())
                .isCloseTo(
                        requests.stream()
                                .mapToDouble(RequestStatistics::acceptanceLength)
                                .sum(),
                        within(1e-9));
        assertThat(time("verify")).isCloseTo(total(requests, RequestStatistics::verifyNanos), within(NANOS));
        assertThat(time("draft")).isCloseTo(total(requests, RequestStatistics::draftNanos), within(NANOS));
        assertThat(time("prefill")).isCloseTo(total(requests, RequestStatistics::prefillNanos), within(NANOS));
        assertThat(time("draft") + time("verify") + time("wait") + time("other"))
                .isCloseTo(total(requests, RequestStatistics::decodeNanos), within(2 * NANOS));
        assertThat(registry.getMeters())
                .extracting(Meter::getId)
                .allSatisfy(id -> assertThat(id.getTag("model")).isEqualTo("tiny"));
    }

    @Test
    void fallbacksAreCountedByCause() {
        try (Conversations none = new Conversations(1, 1, 1);
                MicrometerStatistics metrics = new MicrometerStatistics(registry, "tiny", none)) {
            metrics.accept(UUID.randomUUID(), failing(Map.of(FallbackCause.TIMEOUT, 2)));
            metrics.accept(UUID.randomUUID(), failing(Map.of(FallbackCause.TIMEOUT, 1, FallbackCause.SWITCHED_OFF, 7)));
        }
        assertThat(counter("num.fallbacks", "cause", "timeout")).isEqualTo(3);
        assertThat(counter("num.fallbacks", "cause", "switched_off")).isEqualTo(7);
        assertThat(counter("num.fallbacks", "cause", "exception")).isZero();
    }

    @Test
    void theGlobalRegistryIsTheDefault() {
        try (Conversations none = new Conversations(1, 1, 1);
                MicrometerStatistics ignored = MicrometerStatistics.global("global", none)) {
            assertThat(Metrics.globalRegistry
                            .find("spec.decode.sessions.active")
                            .tag("model", "global")
                            .gauge())
                    .isNotNull();
        }
    }

    private static RequestStatistics failing(Map<FallbackCause, Integer> fallbacks) {
        int[] none = {};
        return new RequestStatistics(5, 10, false, 9, 0, 9, 0, 0, none, none, none, 1, 1, 1, 1, 1, 1, fallbacks);
    }

    private double counter(String name, String... tags) {
        return registry.get("spec.decode." + name).tags(tags).counter().count();
    }

    private double gauge(String name) {
        return registry.get("spec.decode." + name).gauge().value();
    }

    private double time(String part) {
        Timer timer = registry.get("spec.decode.time").tag("part", part).timer();
        return timer.totalTime(TimeUnit.NANOSECONDS);
    }

    private static double sum(List<RequestStatistics> requests, ToIntFunction<RequestStatistics> count) {
        return requests.stream().mapToInt(count).sum();
    }

    private static double total(List<RequestStatistics> requests, ToLongFunction<RequestStatistics> nanos) {
        return requests.stream().mapToLong(nanos).sum();
    }
}
