package io.prism.jlama.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.safetensors.prompt.PromptContext;
import io.prism.config.PrismConfig;
import io.prism.decode.RequestStatistics;
import io.prism.decode.SpeculativeDecoder;
import io.prism.jlama.internals.ModelMembers;
import io.prism.jlama.target.JlamaTarget;
import io.prism.jlama.testing.TestModels;
import io.prism.kernels.Kernels;
import io.prism.kernels.Precision;
import io.prism.spi.HiddenStateRequest;
import io.prism.spi.TargetDescription;
import io.prism.spi.TargetModel;
import io.prism.spi.TargetSession;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Programs that use a new session for every request must not fill the memory. */
class SessionMemoryTest {
    private static final int MOST_CACHED = 4;

    @TempDir
    private Path folder;

    private Kernels kernels;
    private AbstractModel model;
    private CountingTarget target;
    private SpeculativeGenerator generator;

    @BeforeEach
    void open() {
        kernels = TestModels.kernels("scalar");
        model = TestModels.tiny(folder.resolve("model"), "llama", Precision.F32);
        target = new CountingTarget(JlamaTarget.of(model, kernels, true));
        PrismConfig config = PrismConfig.DEFAULTS.withStats(PrismConfig.Stats.OFF);
        generator = new SpeculativeGenerator(
                model,
                new ModelMembers(),
                new SpeculativeDecoder(target, Optional.empty(), kernels, config),
                config,
                new RequestReports());
    }

    @AfterEach
    void close() {
        generator.close();
        target.close();
        model.close();
        kernels.close();
    }

    @Test
    void sessionsThatNobodyComesBackToGiveTheirCachesBack() {
        for (int request = 0; request < 10 * MOST_CACHED; request++) {
            generate(UUID.randomUUID(), "Hello", 20);
        }
        assertThat(target.open.get()).isEqualTo(MOST_CACHED);
    }

    @Test
    void aSessionWhoseCacheIsGoneGoesOnWhereItWas() {
        UUID kept = UUID.randomUUID();
        UUID evicted = UUID.randomUUID();
        generate(kept, "Hello", 20);
        generate(evicted, "Hello", 20);
        for (int request = 0; request < MOST_CACHED; request++) {
            generate(UUID.randomUUID(), "Hello", 20);
            generate(kept, "again", 40 + 20 * request);
        }
        for (int request = 0; request < MOST_CACHED; request++) {
            generate(evicted, "again", 40 + 20 * request);
        }

        int last = 40 + 20 * MOST_CACHED;
        assertThat(generate(evicted, "again", last)).isEqualTo(generate(kept, "again", last));
        assertThat(generator.lastStatistics(evicted).orElseThrow().promptTokens())
                .as("only the new prompt is run")
                .isEqualTo(generator.lastStatistics(kept).orElseThrow().promptTokens());
    }

    @Test
    void closingGivesEverySessionBack() {
        generate(UUID.randomUUID(), "Hello", 20);
        generator.close();
        assertThat(target.open.get()).isZero();
    }

    @Test
    void aFailedRequestLosesItsCacheAndNotItsHistory() {
        UUID session = UUID.randomUUID();
        UUID unharmed = UUID.randomUUID();
        generate(session, "Hello", 20);
        generate(unharmed, "Hello", 20);
        target.failing = true;
        assertThatThrownBy(() -> generate(session, "again", 60)).hasMessage("out of order");
        target.failing = false;

        assertThat(generate(session, "again", 60)).isEqualTo(generate(unharmed, "again", 60));
    }

    @Test
    void statisticsAreThereAsLongAsTheSessionIsRemembered() {
        UUID session = UUID.randomUUID();
        generate(session, "Hello", 20);
        Optional<RequestStatistics> statistics = generator.lastStatistics(session);
        assertThat(statistics).isPresent();
    }

    private String generate(UUID session, String prompt, int ntokens) {
        List<String> pieces = new ArrayList<>();
        generator.generate(session, PromptContext.of(prompt), 0f, ntokens, (piece, millis) -> pieces.add(piece));
        return String.join("", pieces);
    }

    /** Counts the sessions that are open. */
    private static final class CountingTarget implements TargetModel {
        private final TargetModel counted;
        private final AtomicInteger open = new AtomicInteger();
        private volatile boolean failing;

        CountingTarget(TargetModel counted) {
            this.counted = counted;
        }

        @Override
        public TargetDescription description() {
            return counted.description();
        }

        @Override
        public String engine() {
            return counted.engine();
        }

        @Override
        public int maxTreeRows() {
            return counted.maxTreeRows();
        }

        @Override
        public boolean verifiesTrees() {
            return counted.verifiesTrees();
        }

        @Override
        public TargetSession openSession(HiddenStateRequest hiddenStates) {
            TargetSession session = counted.openSession(hiddenStates);
            open.incrementAndGet();
            return (TargetSession) Proxy.newProxyInstance(
                    TargetSession.class.getClassLoader(),
                    new Class<?>[] {TargetSession.class},
                    (proxy, method, values) -> {
                        if (method.getName().equals("close")) {
                            open.decrementAndGet();
                        }
                        if (failing && method.getName().equals("verify")) {
                            throw new IllegalStateException("out of order");
                        }
                        return method.invoke(session, values);
                    });
        }

        @Override
        public void close() {
            counted.close();
        }
    }
}
