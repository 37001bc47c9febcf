package io.prism.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.ModelSupport;
import com.github.tjake.jlama.model.functions.Generator.FinishReason;
import com.github.tjake.jlama.model.functions.Generator.Response;
import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.safetensors.prompt.PromptContext;
import io.prism.decode.RequestStatistics;
import io.prism.jlama.Prism;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What callers of Jlama's generate rely on, compared with Jlama itself on the bundled model. Texts are equal because no
 * two tokens are nearly tied on these prompts; everywhere else the tests compare PRISM with itself.
 */
class GenerateContractTest {
    private static final String PROMPT = "The capital of France is";

    private static AbstractModel jlama;
    private static AbstractModel prism;

    @BeforeAll
    static void load() {
        jlama = ModelSupport.loadModel(DemoModel.folder().toFile(), DType.F32, DType.I8);
        prism = Prism.attach(jlama, DemoModel.folder());
        assertThat(Prism.describe(prism)).isPresent();
    }

    @AfterAll
    static void close() {
        prism.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {PROMPT, "Once upon a time", "def add(a, b):\n    return", "Zürich ist", "1 2 3 4 5 6 7 8"})
    void textAndPromptTokensAreJlamas(String prompt) {
        Response expected = generate(jlama, prompt, 60);
        Response response = generate(prism, prompt, 60);

        assertThat(response.responseText).isEqualTo(expected.responseText);
        assertThat(response.responseTextWithSpecialTokens).isEqualTo(expected.responseTextWithSpecialTokens);
        assertThat(response.promptTokens).isEqualTo(expected.promptTokens);
        assertThat(response.finishReason).isEqualTo(expected.finishReason);
    }

    @Test
    void theFirstTokenSampledIsCountedToo() {
        assertThat(generate(prism, PROMPT, 40).generatedTokens)
                .isEqualTo(generate(jlama, PROMPT, 40).generatedTokens + 1);
    }

    @Test
    void ntokensIsAPositionThatThePromptCountsTowards() {
        Response response = generate(prism, PROMPT, 40);

        // the last token sampled takes no position, the beginning-of-text token does
        assertThat(response.generatedTokens).isEqualTo(40 - (response.promptTokens + 1) + 1);
        assertThat(response.finishReason).isEqualTo(FinishReason.MAX_TOKENS);
    }

    @Test
    void ntokensBeyondTheContextIsTheContext() {
        int context = prism.getConfig().contextLength;
        Response response = generate(prism, "word ".repeat(context / 2), 10 * context);

        assertThat(response.promptTokens + response.generatedTokens).isLessThanOrEqualTo(context);
    }

    @Test
    void theEndTokenEndsTheTextAndIsCountedButNotEmitted() {
        UUID session = UUID.randomUUID();
        Response response =
                generate(prism, session, "<|user|>\nWhat is the capital of France?<|end|>\n<|assistant|>\n", 400);

        assertThat(response.finishReason).isEqualTo(FinishReason.STOP_TOKEN);
        assertThat(response.responseTextWithSpecialTokens).doesNotContain("<|end|>");
        assertThat(statistics(session).endTokenSampled()).isTrue();
        assertThat(response.generatedTokens).isEqualTo(statistics(session).generatedTokens() + 1);
    }

    @Test
    void anEndTokenSampledFirstEndsTheTextAtOnce() {
        String question = "<|user|>\nWhat is the capital of France?<|end|>\n<|assistant|>\n";
        String answered = question + generate(prism, question, 400).responseText;
        List<String> pieces = new ArrayList<>();
        Response response = prism.generate(
                UUID.randomUUID(), PromptContext.of(answered), 0f, 400, (piece, millis) -> pieces.add(piece));

        assertThat(response.finishReason).isEqualTo(FinishReason.STOP_TOKEN);
        assertThat(response.responseText).isEmpty();
        assertThat(response.generatedTokens).isEqualTo(1);
        assertThat(pieces).isEmpty();
    }

    @Test
    void thePiecesOfTheCallbackMakeTheText() {
        StringBuilder streamed = new StringBuilder();
        List<Float> millis = new ArrayList<>();
        Response response = prism.generate(UUID.randomUUID(), PromptContext.of(PROMPT), 0f, 60, (piece, time) -> {
            streamed.append(piece);
            millis.add(time);
        });

        assertThat(streamed.toString()).isEqualTo(response.responseText);
        assertThat(millis).hasSize(response.generatedTokens).allMatch(time -> time >= 0);
        assertThat(millis.getFirst())
                .as("whole milliseconds per prompt token")
                .isEqualTo(Math.round(millis.getFirst()));
    }

    @Test
    void anExceptionOfTheCallbackIsSwallowed() {
        Response response = prism.generate(UUID.randomUUID(), PromptContext.of(PROMPT), 0f, 40, (piece, time) -> {
            throw new IllegalStateException("a reader that went away");
        });

        assertThat(response.responseText).isEqualTo(generate(prism, PROMPT, 40).responseText);
    }

    @Test
    void aCancellationFromTheCallbackEndsTheRequestAndTheSessionIsWhatItWasBefore() {
        UUID session = UUID.randomUUID();
        Response first = prism.generate(session, PromptContext.of(PROMPT), 0, 20, (text, time) -> {});
        List<String> heard = new ArrayList<>();
        assertThatThrownBy(() -> prism.generate(session, PromptContext.of(" More"), 0, 200, (text, time) -> {
                    heard.add(text);
                    if (heard.size() == 3) {
                        throw new CancellationException("the reader went away");
                    }
                }))
                .isInstanceOf(CancellationException.class)
                .hasMessage("the reader went away");
        assertThat(heard).hasSize(3);

        UUID undisturbed = UUID.randomUUID();
        assertThat(prism.generate(undisturbed, PromptContext.of(PROMPT), 0, 20, (text, time) -> {}).responseText)
                .isEqualTo(first.responseText);
        assertThat(prism.generate(session, PromptContext.of(" And"), 0, 60, (text, time) -> {}).responseText)
                .isEqualTo(
                        prism.generate(undisturbed, PromptContext.of(" And"), 0, 60, (text, time) -> {}).responseText);
    }

    @Test
    void anInterruptEndsTheRequestWithWhatThereIs() {
        String whole = generate(prism, PROMPT, 100).responseText;
        Response cut = prism.generate(
                UUID.randomUUID(),
                PromptContext.of(PROMPT),
                0,
                100,
                (text, time) -> Thread.currentThread().interrupt());
        assertThat(Thread.interrupted()).isTrue();
        assertThat(cut.responseText).isNotEmpty().isNotEqualTo(whole);
        assertThat(whole).startsWith(cut.responseText);
    }

    @Test
    void anInterruptEndsTheWaitForASessionInUse() throws Exception {
        UUID session = UUID.randomUUID();
        CountDownLatch generating = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            Future<Response> first =
                    threads.submit(() -> prism.generate(session, PromptContext.of(PROMPT), 0, 20, (text, time) -> {
                        generating.countDown();
                        awaitQuietly(go);
                    }));
            generating.await();
            Thread[] waiting = new Thread[1];
            CountDownLatch started = new CountDownLatch(1);
            Future<Response> second = threads.submit(() -> {
                waiting[0] = Thread.currentThread();
                started.countDown();
                return generate(prism, session, " More", 40);
            });
            started.await();
            waiting[0].interrupt();
            assertThatThrownBy(second::get).hasRootCauseInstanceOf(InterruptedException.class);
            go.countDown();
            assertThat(first.get().responseText).isNotEmpty();
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aPromptThatReachesTheLimitIsRefusedAsJlamaDoes() {
        for (AbstractModel model : List.of(jlama, prism)) {
            assertThatThrownBy(() -> generate(model, PROMPT, 6))
                    .isExactlyInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Prompt exceeds max tokens");
            assertThatThrownBy(() -> generate(model, "word ".repeat(2000), 100_000))
                    .isExactlyInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Prompt exceeds max tokens");
        }
    }

    @Test
    void aPromptThatBeginsWithTheWholeHistoryReusesItsCache() {
        UUID session = UUID.randomUUID();
        String first = PROMPT + generate(prism, session, PROMPT, 40).responseText;
        String second = first + " Once upon a time";
        Response continued = generate(prism, session, second, 80);

        assertThat(statistics(session).promptTokens())
                .as("tokens run for the second request")
                .isLessThan(10);
        assertThat(continued.responseText).isEqualTo(generate(prism, second, 80).responseText);
        assertThat(continued.promptTokens).isEqualTo(generate(prism, second, 80).promptTokens);
    }

    @Test
    void anyOtherPromptContinuesAfterTheHistoryAndItsPositionCountsAllOfIt() {
        UUID session = UUID.randomUUID();
        String answer = generate(prism, session, PROMPT, 40).responseText;
        Response continued = generate(prism, session, "Once upon a time", 80);

        String whole = PROMPT + answer + "<|begin_of_text|>Once upon a time";
        assertThat(continued.responseText).isEqualTo(generate(prism, whole, 80).responseText);
        int history = prism.encodePrompt(PromptContext.of(PROMPT + answer)).length;
        assertThat(continued.generatedTokens).isEqualTo(80 - history - (continued.promptTokens + 1) + 1);
    }

    @Test
    void aSessionWithoutRoomForThePromptBeginsAnew() {
        UUID session = UUID.randomUUID();
        Response first = generate(prism, session, PROMPT, 40);
        for (int request = 0; request < 3; request++) {
            assertThat(generate(prism, session, PROMPT, 40).responseText).isEqualTo(first.responseText);
        }
    }

    @Test
    void sessionsGenerateAtTheSameTimeWithoutMixing() throws Exception {
        List<String> prompts = List.of(PROMPT, "Once upon a time", "Zürich ist", "In the beginning");
        List<String> expected = prompts.stream()
                .map(prompt -> generate(prism, prompt, 60).responseText)
                .toList();
        List<Callable<String>> requests = new ArrayList<>();
        for (int round = 0; round < 3; round++) {
            prompts.forEach(prompt -> requests.add(() -> generate(prism, prompt, 60).responseText));
        }
        List<String> answers = runAll(requests);
        for (int i = 0; i < answers.size(); i++) {
            assertThat(answers.get(i)).isEqualTo(expected.get(i % prompts.size()));
        }
    }

    @Test
    void requestsOfOneSessionRunOneAfterTheOther() throws Exception {
        UUID session = UUID.randomUUID();
        List<Integer> speakers = Collections.synchronizedList(new ArrayList<>());
        List<Callable<Response>> requests = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            int request = i;
            requests.add(() -> prism.generate(
                    session, PromptContext.of("Once upon"), 0f, 150, (piece, millis) -> speakers.add(request)));
        }
        runAll(requests);
        List<Integer> turns = new ArrayList<>();
        for (int speaker : speakers) {
            if (turns.isEmpty() || turns.getLast() != speaker) {
                turns.add(speaker);
            }
        }
        assertThat(turns).as("each request speaks in one go").doesNotHaveDuplicates();
        assertThat(speakers).hasSizeGreaterThan(10);
    }

    @Test
    void aSessionCannotBeUsedFromItsOwnCallback() {
        UUID session = UUID.randomUUID();
        List<String> refused = new ArrayList<>();
        prism.generate(session, PromptContext.of(PROMPT), 0f, 10, (piece, millis) -> {
            try {
                generate(prism, session, PROMPT, 10);
            } catch (IllegalStateException e) {
                refused.add(e.getMessage());
            }
        });
        assertThat(refused).isNotEmpty().allMatch(message -> message.contains("is generating already in this thread"));
    }

    @Test
    void samplingTakesTheTemperatureAndNeedsNoSeed() {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            texts.add(prism.generate(UUID.randomUUID(), PromptContext.of(PROMPT), 1f, 60, (piece, millis) -> {})
                    .responseText);
        }
        assertThat(texts.stream().distinct().count()).isGreaterThan(1);
    }

    @Test
    void statisticsOfARequestAreThereForTheSessionAndForListeners() throws Exception {
        UUID session = UUID.randomUUID();
        List<RequestStatistics> heard = new ArrayList<>();
        try (AutoCloseable listening = Prism.listen(prism, (id, statistics) -> heard.add(statistics))) {
            assertThat(listening).isNotNull();
            generate(prism, session, PROMPT, 40);
        }
        generate(prism, PROMPT, 40);

        assertThat(heard).containsExactly(statistics(session));
        assertThat(statistics(session).generatedTokens()).isEqualTo(34);
        assertThat(Prism.statistics(prism, UUID.randomUUID())).isEmpty();
    }

    @Test
    void attachingTwiceIsHarmless() {
        assertThat(Prism.attach(prism)).isSameAs(prism);
        AbstractModel other = Prism.attach(jlama);
        assertThat(generate(other, PROMPT, 40).responseText).isEqualTo(generate(prism, PROMPT, 40).responseText);
    }

    @Test
    @SuppressWarnings("try") // closing early is what this is about
    void aClosedModelGeneratesAgainAsJlamasDo() {
        try (AbstractModel model = Prism.attach(
                ModelSupport.loadModel(DemoModel.folder().toFile(), DType.F32, DType.I8), DemoModel.folder())) {
            String text = generate(model, PROMPT, 40).responseText;
            model.close();
            assertThat(Prism.describe(model)).isEmpty();
            assertThat(generate(model, PROMPT, 40).responseText).isEqualTo(text);
            assertThat(Prism.describe(model)).isPresent();
        }
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES) // the measurement in the background, some seconds long, still holds it
    void aModelThatIsForgottenWithoutBeingClosedIsCollected() throws InterruptedException {
        WeakReference<AbstractModel> forgotten = useAndForget();
        while (forgotten.get() != null) {
            System.gc();
            Thread.sleep(50);
        }
    }

    private static WeakReference<AbstractModel> useAndForget() {
        AbstractModel model = ModelSupport.loadModel(DemoModel.folder().toFile(), DType.F32, DType.I8);
        assertThat(generate(Prism.attach(model), PROMPT, 20).responseText).isNotEmpty();
        return new WeakReference<>(model);
    }

    private static <T> List<T> runAll(List<Callable<T>> requests) throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(requests.size())) {
            List<T> results = new ArrayList<>();
            for (Future<T> future : threads.invokeAll(requests)) {
                results.add(future.get());
            }
            return results;
        }
    }

    private static RequestStatistics statistics(UUID session) {
        return Prism.statistics(prism, session).orElseThrow();
    }

    private static Response generate(AbstractModel model, String prompt, int ntokens) {
        return generate(model, UUID.randomUUID(), prompt, ntokens);
    }

    private static Response generate(AbstractModel model, UUID session, String prompt, int ntokens) {
        return model.generate(session, PromptContext.of(prompt), 0f, ntokens, (piece, millis) -> {});
    }
}
