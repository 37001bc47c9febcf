package io.prism.integration;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.prism.cli.model.Contender;
import io.prism.cli.model.DecoderFactory;
import io.prism.cli.model.ModelHosts;
import io.prism.config.Flag;
import io.prism.config.PrismConfig;
import io.prism.decode.DecodingSession;
import io.prism.decode.GenerationRequest;
import io.prism.spi.HostedModel;
import io.prism.spi.ModelHost.LoadOptions;
import io.prism.verify.SamplingParameters;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Properties;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Drafting and verifying reuse their memory: once warm, a token with its share of a round allocates less than a single row of
 * logits would take. Buffers and the KV cache grow with the longest answer, so one session answers again and again.
 */
class RoundAllocationTest {
    private static final int FROM = 16;
    private static final int TO = 112;
    private static final int ANSWERS = 24;

    /** A row of the bundled model's logits is 16 KiB. */
    private static final long MOST_BYTES_PER_TOKEN = 4096;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @ParameterizedTest
    @ValueSource(floats = {0, 1})
    void aTokenAllocatesLittleOnceWarm(float temperature) {
        SamplingParameters sampling = new SamplingParameters(temperature, 1, 0);
        try (HostedModel model = ModelHosts.onClassPath()
                        .load(DemoModel.folder().toString(), new LoadOptions("auto", 0, true, "auto"));
                Contender.Ours ours = new DecoderFactory(model).speculative(config());
                DecodingSession session = ours.decoder().openSession()) {
            int[] prompt = model.prompt(List.of("Why is the sky blue?")).tokens();
            GenerationRequest request =
                    new GenerationRequest(prompt, TO, sampling, OptionalLong.of(7), token -> false, true);
            long least = Long.MAX_VALUE;
            for (int answer = 0; answer < ANSWERS; answer++) {
                session.truncate(0);
                least = Math.min(least, bytesPerToken(session, request));
            }
            assertThat(least).isLessThan(MOST_BYTES_PER_TOKEN);
        }
    }

    private long bytesPerToken(DecodingSession session, GenerationRequest request) {
        long[] allocated = new long[2];
        int[] tokens = new int[1];
        session.generate(request, token -> {
            tokens[0]++;
            if (tokens[0] == FROM || tokens[0] == TO) {
                allocated[tokens[0] == FROM ? 0 : 1] = threads.getTotalThreadAllocatedBytes();
            }
            return true;
        });
        assertThat(tokens[0]).isEqualTo(TO);
        return (allocated[1] - allocated[0]) / (TO - FROM);
    }

    private static PrismConfig config() {
        Properties properties = new Properties();
        properties.setProperty(
                Flag.DRAFTER.property(), DemoModel.folder().resolve("prism").toString());
        properties.setProperty(Flag.TREE.property(), "6,4,16");
        return PrismConfig.load(properties, Map.of(), Optional.empty());
    }
}
