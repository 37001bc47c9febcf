package io.prism.programs;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.ModelSupport;
import com.github.tjake.jlama.model.functions.Generator;
import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.safetensors.prompt.PromptContext;
import java.io.File;
import java.util.UUID;

/** A program that uses Jlama: model folder, limit of tokens and prompt in, text and counts out. */
public final class GenerateText {

    private GenerateText() {}

    public static void main(String[] arguments) {
        StringBuilder streamed = new StringBuilder();
        try (AbstractModel model = ModelSupport.loadModel(new File(arguments[0]), DType.F32, DType.I8)) {
            Generator.Response response = model.generate(
                    UUID.randomUUID(),
                    PromptContext.of(arguments[2]),
                    0f,
                    Integer.parseInt(arguments[1]),
                    (piece, millis) -> streamed.append(piece));
            System.out.println("text: " + response.responseText.replace("\n", "\\n"));
            System.out.println("streamed the same: " + streamed.toString().equals(response.responseText));
            System.out.println("prompt tokens: " + response.promptTokens);
        }
    }
}
