package io.prism.integration.soak;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.safetensors.prompt.PromptContext;
import io.prism.cli.model.ModelHosts;
import io.prism.config.Flag;
import io.prism.config.PrismConfig;
import io.prism.decode.BatchStatistics;
import io.prism.decode.DecodingSession;
import io.prism.decode.FinishReason;
import io.prism.decode.GenerationRequest;
import io.prism.decode.GenerationResult;
import io.prism.decode.SpeculativeDecoder;
import io.prism.drafter.ngram.NgramDrafter;
import io.prism.jlama.PrismModels;
import io.prism.spi.HostedModel;
import io.prism.spi.ModelHost.LoadOptions;
import io.prism.verify.SamplingParameters;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Properties;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Short requests of many kinds on 16 threads, which end as they should, are cancelled in every way there is, or fail by
 * faults that are put into target and drafter; less memory for keys and values than all of them need at once. Every text
 * is right, and nothing is left over. {@code -Dsoak.requests=10000} makes it long.
 */
class SoakTest {
    private static final Logger LOG = LoggerFactory.getLogger(SoakTest.class);
    private static final int REQUESTS = Integer.getInteger("soak.requests", 400);
    private static final int THREADS = 16;
    private static final int LONGEST = 40;
    private static final String KV_MEBIBYTES = "8";

    /** What caches, pools and the JIT's profiles may grow by between an early and a late look. */
    private static final long HEAP_TOLERANCE = 12 << 20;

    private static final List<String> PROMPTS = List.of(
            "The capital of France is",
            "Once upon a time there was",
            "def fibonacci(n):",
            "1 2 3 4 5 6 7 8 9",
            "Zürich ist eine Stadt, und Genève aussi",
            "Question: How many legs do three spiders have? Answer:",
            "to be or not to be, ".repeat(12),
            "The quick brown fox jumps over the lazy dog. ".repeat(9));

    private static final List<SamplingParameters> SAMPLINGS = List.of(
            SamplingParameters.GREEDY,
            SamplingParameters.GREEDY,
            new SamplingParameters(0.7f, 1, 0),
            new SamplingParameters(1.2f, 0.9f, 40));

    private enum Way {
        COMPLETES,
        STOPPED_BY_LISTENER,
        LISTENER_THROWS,
        INTERRUPTED,
        THROUGH_JLAMA,
        CANCELLED_THROUGH_JLAMA,
        INTERRUPTED_THROUGH_JLAMA
    }

    private static final class ListenerFailed extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    /** A drafter's faults are logged with their stack, which is too much of them here. */
    private static final ch.qos.logback.classic.Logger DECODING_LOG =
            (ch.qos.logback.classic.Logger) LoggerFactory.getLogger("io.prism.decode");

    private static HostedModel model;
    private static AbstractModel jlama;
    private static FaultyTarget target;
    private static SpeculativeDecoder decoder;
    private static int[][][] expected;
    private static String[] expectedText;

    private final Map<Way, LongAdder> done = new EnumMap<>(Way.class);
    private final AtomicInteger failedByTarget = new AtomicInteger();

    @BeforeAll
    static void load() {
        DECODING_LOG.setLevel(Level.ERROR);
        ((ch.qos.logback.classic.Logger) LOG).setLevel(Level.INFO);
        Path folder = Path.of("models", "llama-snakes-6m").toAbsolutePath();
        model = ModelHosts.onClassPath().load(folder.toString(), new LoadOptions("auto", 0, true, "auto"));
        target = new FaultyTarget(model.target());
        Properties flags = new Properties();
        flags.setProperty(Flag.KV_MEMORY.property(), KV_MEBIBYTES);
        flags.setProperty(Flag.STATS.property(), "off");
        PrismConfig config = PrismConfig.load(flags, Map.of(), Optional.empty());
        decoder = new SpeculativeDecoder(
                target, Optional.of(new FaultyDrafter(new NgramDrafter())), model.kernels(), config);
        jlama = PrismModels.load(folder.toFile(), DType.F32, DType.I8);
        computeExpected(config);
    }

    private static void computeExpected(PrismConfig config) {
        expected = new int[PROMPTS.size()][SAMPLINGS.size()][];
        expectedText = new String[PROMPTS.size()];
        try (SpeculativeDecoder plain =
                new SpeculativeDecoder(model.target(), Optional.empty(), model.kernels(), config)) {
            for (int prompt = 0; prompt < PROMPTS.size(); prompt++) {
                for (int sampling = 0; sampling < SAMPLINGS.size(); sampling++) {
                    try (DecodingSession session = plain.openSession()) {
                        expected[prompt][sampling] = session.generate(request(prompt, sampling, LONGEST), token -> true)
                                .tokens();
                    }
                }
                expectedText[prompt] = throughJlama(prompt, piece -> {});
            }
        }
    }

    @AfterAll
    static void close() {
        decoder.close();
        jlama.close();
        model.close();
        DECODING_LOG.setLevel(null);
    }

    private static GenerationRequest request(int prompt, int sampling, int tokens) {
        return new GenerationRequest(
                model.encode(PROMPTS.get(prompt)),
                tokens,
                SAMPLINGS.get(sampling),
                OptionalLong.of(100 * prompt + sampling),
                model::isEndToken,
                true);
    }

    private static String throughJlama(int prompt, Consumer<String> callback) {
        PromptContext context = PromptContext.of(PROMPTS.get(prompt));
        int length = model.encode(PROMPTS.get(prompt)).length;
        return jlama.generate(UUID.randomUUID(), context, 0, length + LONGEST, (piece, time) -> callback.accept(piece))
                .responseText;
    }

    @Test
    void everyResultIsRightAndNothingIsLeftOver() throws Exception {
        for (Way way : Way.values()) {
            done.put(way, new LongAdder());
        }
        target.failing = true;
        try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
            AtomicInteger next = new AtomicInteger();
            run(threads, next, REQUESTS / 4);
            Footprint early = Footprint.take();
            long start = System.nanoTime();
            run(threads, next, REQUESTS);
            long nanos = System.nanoTime() - start;
            Footprint late = Footprint.take();
            report(early, late, nanos);
            assertThat(late.threads()).as("threads").isLessThanOrEqualTo(early.threads());
            assertThat(late.files()).as("open files").isLessThanOrEqualTo(early.files());
            assertThat(late.buffers()).as("buffers").isLessThanOrEqualTo(early.buffers() + HEAP_TOLERANCE);
            assertThat(late.heap()).as("heap").isLessThanOrEqualTo(early.heap() + HEAP_TOLERANCE);
        }
        target.failing = false;
        assertThat(target.open).as("sessions of the target").hasValue(0);
        assertThat(target.faults.get()).isPositive();
        for (Way way : Way.values()) {
            assertThat(done.get(way).sum()).as("requests of the kind %s", way).isPositive();
        }
        BatchStatistics batches = decoder.batches();
        assertThat(batches.parts()).as("passes were shared").isGreaterThan(batches.passes());
    }

    private void report(Footprint early, Footprint late, long nanos) {
        BatchStatistics batches = decoder.batches();
        LOG.info(
                "{} requests, the last three quarters in {} s: {}; {} failed by {} injected faults; {} passes of {} parts"
                        + " each on average; after a quarter: {}; at the end: {}",
                REQUESTS,
                nanos / 1_000_000_000,
                done,
                failedByTarget,
                target.faults,
                batches.passes(),
                (double) batches.parts() / batches.passes(),
                early,
                late);
    }

    private void run(ExecutorService threads, AtomicInteger next, int until) throws Exception {
        List<Future<?>> workers = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            workers.add(threads.submit(() -> {
                for (int number = next.getAndIncrement(); number < until; number = next.getAndIncrement()) {
                    one(new Random(number));
                }
                next.decrementAndGet();
            }));
        }
        for (Future<?> worker : workers) {
            worker.get();
        }
    }

    private void one(Random random) {
        int kind = random.nextInt(20);
        Way way = kind < Way.values().length ? Way.values()[kind] : Way.COMPLETES;
        int prompt = random.nextInt(PROMPTS.size());
        try {
            switch (way) {
                case THROUGH_JLAMA ->
                    assertThat(throughJlama(prompt, piece -> {})).isEqualTo(expectedText[prompt]);
                case CANCELLED_THROUGH_JLAMA -> cancelThroughJlama(prompt, random.nextInt(5));
                case INTERRUPTED_THROUGH_JLAMA -> interruptThroughJlama(prompt);
                default -> decode(way, prompt, random);
            }
        } catch (IllegalStateException e) {
            assertThat(e).hasMessage(FaultyTarget.FAULT);
            failedByTarget.incrementAndGet();
        } finally {
            Thread.interrupted();
        }
        done.get(way).increment();
    }

    private static void cancelThroughJlama(int prompt, int after) {
        int[] heard = new int[1];
        try {
            throughJlama(prompt, piece -> {
                if (heard[0]++ == after) {
                    throw new CancellationException();
                }
            });
            assertThat(heard[0]).isLessThanOrEqualTo(after);
        } catch (CancellationException expectedOne) {
            assertThat(heard[0]).isEqualTo(after + 1);
        }
    }

    private static void interruptThroughJlama(int prompt) {
        String text = throughJlama(prompt, piece -> Thread.currentThread().interrupt());
        assertThat(expectedText[prompt]).startsWith(text);
    }

    private static void decode(Way way, int prompt, Random random) {
        int sampling = random.nextInt(SAMPLINGS.size());
        int most = 1 + random.nextInt(LONGEST);
        int after = 1 + random.nextInt(most);
        int[] whole = expected[prompt][sampling];
        int[] all = Arrays.copyOf(whole, Math.min(whole.length, most));
        List<Integer> heard = new ArrayList<>();
        try (DecodingSession session = decoder.openSession()) {
            GenerationResult result = session.generate(request(prompt, sampling, most), token -> {
                heard.add(token);
                if (heard.size() < after) {
                    return true;
                }
                return switch (way) {
                    case STOPPED_BY_LISTENER -> false;
                    case LISTENER_THROWS -> throw new ListenerFailed();
                    case INTERRUPTED -> {
                        Thread.currentThread().interrupt();
                        yield true;
                    }
                    default -> true;
                };
            });
            int[] tokens = result.tokens();
            assertThat(tokens).isEqualTo(Arrays.copyOf(all, tokens.length));
            if (way == Way.COMPLETES) {
                assertThat(tokens).isEqualTo(all);
                assertThat(result.reason()).isNotEqualTo(FinishReason.STOPPED);
            }
        } catch (ListenerFailed e) {
            assertThat(way).isEqualTo(Way.LISTENER_THROWS);
        }
        assertThat(heard)
                .isEqualTo(Arrays.stream(all).limit(heard.size()).boxed().toList());
    }
}
