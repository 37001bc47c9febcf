package io.prism.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.prism.spi.HostedModel;
import io.prism.spi.ModelHost;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the command line makes of a user's turns. */
class ChatTemplateTest {
    private static final List<String> TURNS = List.of("Hello", "Hi there", "Who are you?");

    @TempDir
    private Path folder;

    @Test
    void turnsAreWrittenIntoTheModelsTemplate() {
        assertThat(promptOf(DemoModel.folder()))
                .endsWith("<|user|>\nHello<|end|>\n<|assistant|>\nHi there<|end|>\n<|user|>\nWho are you?<|end|>\n"
                        + "<|assistant|>\n");
    }

    @Test
    void withoutATemplateTheLastTurnIsThePrompt() throws IOException {
        Path model = DemoModel.copyTo(folder.resolve("model"));
        Files.delete(model.resolve("tokenizer_config.json"));
        assertThat(promptOf(model)).isEqualTo("Who are you?");
    }

    private static String promptOf(Path model) {
        ModelHost host = ServiceLoader.load(ModelHost.class).findFirst().orElseThrow();
        try (HostedModel loaded = host.load(model.toString(), new ModelHost.LoadOptions("auto", 0, true, "auto"))) {
            return loaded.prompt(TURNS).text();
        }
    }
}
