import dev.langchain4j.model.jlama.JlamaChatModel;
import java.nio.file.Path;

public class Ask {
    public static void main(String[] arguments) {
        JlamaChatModel model = JlamaChatModel.builder()
                .modelCachePath(Path.of("/tmp/snakes-cache"))
                .modelName("snakes/llama-snakes-6m")
                .temperature(0f)
                .maxTokens(100)
                .build();
        System.out.println(model.chat(String.join(" ", arguments)));
    }
}
