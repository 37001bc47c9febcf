package io.prism.jlama.generate;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.tjake.jlama.model.llama.LlamaTokenizer;
import com.github.tjake.jlama.safetensors.tokenizer.Tokenizer;
import io.prism.jlama.internals.ModelMembers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenTextTest {
    private static final int WORD = 0;

    /** Tokens of the bytes follow the only word. */
    private static final int FIRST_BYTE = 1;

    @TempDir
    private Path folder;

    private Tokenizer tokenizer;

    @BeforeEach
    void writeTokenizer() throws IOException {
        StringBuilder vocabulary = new StringBuilder("\"\\u2581word\": 0");
        for (int value = 0; value < 256; value++) {
            vocabulary.append(", \"<0x%02X>\": %d".formatted(value, FIRST_BYTE + value));
        }
        Files.writeString(
                folder.resolve("tokenizer.json"),
                "{\"model\": {\"type\": \"BPE\", \"byte_fallback\": true, \"merges\": [], \"vocab\": {" + vocabulary
                        + "}}}");
        tokenizer = new LlamaTokenizer(folder);
    }

    @Test
    void charactersOfOneToFourBytesComeWhenTheyAreComplete() {
        for (String character : new String[] {"a", "\n", "é", "€", "🐍"}) {
            TokenText text = newText();
            byte[] bytes = character.getBytes(StandardCharsets.UTF_8);
            for (int i = 0; i + 1 < bytes.length; i++) {
                assertThat(text.append(token(bytes[i]))).isEmpty();
            }
            assertThat(text.append(token(bytes[bytes.length - 1]))).isEqualTo(character);
        }
    }

    @Test
    void answersMadeAtTheSameTimeDoNotMix() {
        TokenText first = newText();
        TokenText second = newText();
        byte[] snake = "🐍".getBytes(StandardCharsets.UTF_8);
        byte[] euro = "€".getBytes(StandardCharsets.UTF_8);
        first.append(token(snake[0]));
        second.append(token(euro[0]));
        first.append(token(snake[1]));
        second.append(token(euro[1]));
        first.append(token(snake[2]));

        assertThat(second.append(token(euro[2]))).isEqualTo("€");
        assertThat(first.append(token(snake[3]))).isEqualTo("🐍");
    }

    @Test
    void bytesThatMakeNoCharacterAreReplacedAndTheTextGoesOn() {
        TokenText text = newText();
        text.append(token((byte) 0xE2));

        assertThat(text.append(WORD)).isEqualTo("\uFFFD word");
        assertThat(text.append(token((byte) 'a'))).isEqualTo("a");
    }

    private TokenText newText() {
        return new TokenText(tokenizer, new ModelMembers());
    }

    private static int token(byte value) {
        return FIRST_BYTE + Byte.toUnsignedInt(value);
    }
}
