package io.prism.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.tjake.jlama.model.AbstractModel;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.StreamingResponseHandler;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.jlama.JlamaChatModel;
import dev.langchain4j.model.jlama.JlamaLanguageModel;
import dev.langchain4j.model.jlama.JlamaStreamingChatModel;
import dev.langchain4j.model.jlama.JlamaStreamingLanguageModel;
import io.prism.decode.RequestStatistics;
import io.prism.jlama.Prism;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** LangChain4j's models of the bundled model, with this module on the class path. */
class LangChain4jModelsTest {
    private static final String NAME = "snakes/llama-snakes-6m";
    private static final String QUESTION = "Hello, who are you?";
    private static final int MOST_TOKENS = 60;

    @TempDir
    private Path cache;

    private final List<RequestStatistics> requests = new ArrayList<>();

    @BeforeEach
    void fillCache() throws IOException {
        Path folder = Files.createDirectory(cache.resolve(NAME.replace('/', '_')));
        try (Stream<Path> files = Files.list(Path.of("../../integration-tests/models/llama-snakes-6m"))) {
            for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        // what Jlama's downloader leaves behind, so that nothing is downloaded
        Files.createFile(folder.resolve(".finished"));
    }

    @AfterEach
    void enable() {
        System.clearProperty("prism.enabled");
    }

    @Test
    void aChatModelGeneratesWithPrismAndSaysTheSame() {
        System.setProperty("prism.enabled", "false");
        JlamaChatModel stock = chatModel();
        assertThat(describe(stock)).isEmpty();
        String expected = stock.chat(UserMessage.from(QUESTION)).aiMessage().text();

        System.setProperty("prism.enabled", "true");
        JlamaChatModel model = chatModel();
        listen(model);
        ChatResponse answer = model.chat(UserMessage.from(QUESTION));
        assertThat(answer.aiMessage().text()).isNotEmpty().isEqualTo(expected);
        assertThat(describe(model)).get().asString().contains("LLAMA", "ngram");
        assertThat(requests).hasSize(1);
        assertThat(answer.tokenUsage().inputTokenCount())
                .isEqualTo(requests.getFirst().promptTokens() - 1); // Jlama counts without the beginning token
    }

    private JlamaChatModel chatModel() {
        return JlamaChatModel.builder()
                .modelCachePath(cache)
                .modelName(NAME)
                .temperature(0f)
                .maxTokens(MOST_TOKENS)
                .build();
    }

    @Test
    void aStreamingChatModelGeneratesWithPrism() {
        JlamaStreamingChatModel model = JlamaStreamingChatModel.builder()
                .modelName(NAME)
                .modelCachePath(cache)
                .temperature(0f)
                .maxTokens(MOST_TOKENS)
                .build();
        listen(model);
        StringBuilder streamed = new StringBuilder();
        CompletableFuture<ChatResponse> complete = new CompletableFuture<>();
        model.chat(QUESTION, new StreamingChatResponseHandler() {
            @Override
            public void onPartialResponse(String text) {
                streamed.append(text);
            }

            @Override
            public void onCompleteResponse(ChatResponse response) {
                complete.complete(response);
            }

            @Override
            public void onError(Throwable error) {
                complete.completeExceptionally(error);
            }
        });
        assertThat(complete.join().aiMessage().text()).isNotEmpty().isEqualTo(streamed.toString());
        assertThat(requests).hasSize(1);
    }

    @Test
    void aLanguageModelGeneratesWithPrism() {
        JlamaLanguageModel model = JlamaLanguageModel.builder()
                .modelName(NAME)
                .modelCachePath(cache)
                .temperature(0f)
                .maxTokens(MOST_TOKENS)
                .build();
        listen(model);
        assertThat(model.generate("Snakes are").content()).isNotEmpty();
        assertThat(requests).hasSize(1);
    }

    @Test
    void aStreamingLanguageModelGeneratesWithPrism() {
        JlamaStreamingLanguageModel model = JlamaStreamingLanguageModel.builder()
                .modelName(NAME)
                .modelCachePath(cache)
                .temperature(0f)
                .maxTokens(MOST_TOKENS)
                .build();
        listen(model);
        StringBuilder streamed = new StringBuilder();
        model.generate("Snakes are", new StreamingResponseHandler<>() {
            @Override
            public void onNext(String token) {
                streamed.append(token);
            }

            @Override
            public void onError(Throwable error) {
                throw new AssertionError(error);
            }
        });
        assertThat(streamed).isNotEmpty();
        assertThat(requests).hasSize(1);
    }

    @Test
    void propertiesBesideTheModelsDrafterCount() throws IOException {
        Path drafter =
                Files.createDirectories(cache.resolve(NAME.replace('/', '_')).resolve("prism"));
        Files.writeString(drafter.resolve("prism.properties"), "prism.drafter=none\n");
        assertThat(describe(chatModel())).get().asString().contains("no drafter");
    }

    private void listen(Object model) {
        Prism.listen(held(model), (session, statistics) -> requests.add(statistics));
    }

    private static Optional<String> describe(Object model) {
        return Prism.describe(held(model));
    }

    private static AbstractModel held(Object model) {
        try {
            Field field = model.getClass().getDeclaredField("model");
            field.setAccessible(true);
            return (AbstractModel) field.get(model);
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }
}
