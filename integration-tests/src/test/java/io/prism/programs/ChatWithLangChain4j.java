package io.prism.programs;

import com.github.tjake.jlama.safetensors.DType;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.jlama.JlamaChatModel;
import java.nio.file.Path;

/** A program that uses Jlama through LangChain4j: model cache, model name and question in, answer and counts out. */
public final class ChatWithLangChain4j {

    private ChatWithLangChain4j() {}

    public static void main(String[] arguments) {
        JlamaChatModel model = JlamaChatModel.builder()
                .modelCachePath(Path.of(arguments[0]))
                .modelName(arguments[1])
                .workingQuantizedType(DType.I8)
                .temperature(0f)
                .maxTokens(120)
                .build();
        ChatResponse answer = model.chat(UserMessage.from(arguments[2]));
        System.out.println("text: " + answer.aiMessage().text().replace("\n", "\\n"));
        System.out.println("finish: " + answer.finishReason());
        System.out.println("input tokens: " + answer.tokenUsage().inputTokenCount());
    }
}
