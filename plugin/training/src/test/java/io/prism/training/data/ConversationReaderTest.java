package io.prism.training.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.prism.spi.PrismException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConversationReaderTest {
    @TempDir
    private Path folder;

    @Test
    void allThreeFormsAreReadGzippedOrNot() throws IOException {
        String text = """
                {"prompt": "a", "response": "b"}

                {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "c"},
                """.stripTrailing() + """
                 {"role": "assistant", "content": "d"}, {"role": "user", "content": "e"}]}
                {"conversations": [{"from": "human", "value": "f"}, {"from": "gpt", "value": "g"}]}
                """;
        Path plain = folder.resolve("data.jsonl");
        Files.writeString(plain, text);
        Path gzipped = folder.resolve("data.jsonl.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(gzipped))) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        }
        for (Path file : List.of(plain, gzipped)) {
            try (ConversationReader reader = new ConversationReader(file)) {
                assertThat(reader.next()).isEqualTo(new Conversation(List.of("a"), Optional.of("b")));
                assertThat(reader.next()).isEqualTo(new Conversation(List.of("c", "d", "e"), Optional.empty()));
                assertThat(reader.next()).isEqualTo(new Conversation(List.of("f"), Optional.of("g")));
                assertThat(reader.next()).isNull();
            }
        }
    }

    @Test
    void aBadLineIsReportedByNumber() throws IOException {
        Path file = folder.resolve("bad.jsonl");
        Files.writeString(file, "{\"prompt\": \"a\"}\n{\"prompt\": \n");
        try (ConversationReader reader = new ConversationReader(file)) {
            reader.next();
            assertThatThrownBy(reader::next)
                    .isInstanceOf(PrismException.class)
                    .hasMessageContaining("bad.jsonl, line 2");
        }
        Files.writeString(file, "{\"text\": \"a\"}\n");
        try (ConversationReader reader = new ConversationReader(file)) {
            assertThatThrownBy(reader::next).isInstanceOf(PrismException.class).hasMessageContaining("no user's turn");
        }
    }
}
