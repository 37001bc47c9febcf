package io.prism.jlama.host;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.prism.spi.ModelHost.LoadOptions;
import io.prism.spi.PrismException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each case damages a folder that passes the check in one way. */
class ModelFolderTest {
    private static final String HEADER = "{\"w\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}";

    @TempDir
    private Path folder;

    @BeforeEach
    void writeModel() throws IOException {
        Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"llama\"}");
        Files.writeString(folder.resolve("tokenizer.json"), "{}");
        writeWeights("model.safetensors", HEADER, 16);
    }

    private void writeWeights(String name, String header, int dataBytes) throws IOException {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer file =
                ByteBuffer.allocate(Long.BYTES + text.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(text.length).put(text);
        Files.write(folder.resolve(name), file.array());
    }

    private void assertRefused(String... parts) {
        assertThatThrownBy(() -> ModelFolder.check(folder))
                .isInstanceOf(PrismException.class)
                .hasMessageContainingAll(parts);
    }

    @Test
    void aWholeFolderPasses() {
        assertThatCode(() -> ModelFolder.check(folder)).doesNotThrowAnyException();
    }

    @Test
    void aMissingFolderIsNamed() {
        assertThatThrownBy(() -> ModelFolder.check(folder.resolve("nowhere")))
                .isInstanceOf(PrismException.class)
                .hasMessageContainingAll("nowhere does not exist", "expected a model folder");
    }

    @Test
    void aFileInsteadOfAFolderIsNamed() {
        assertThatThrownBy(() -> ModelFolder.check(folder.resolve("config.json")))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("is a file");
    }

    @Test
    void aMissingConfigIsNamed() throws IOException {
        Files.delete(folder.resolve("config.json"));
        assertRefused("has no config.json", "Hugging Face");
    }

    @Test
    void aMissingTokenizerIsNamed() throws IOException {
        Files.delete(folder.resolve("tokenizer.json"));
        assertRefused("has no tokenizer.json");
    }

    @Test
    void aConfigThatIsCutOffIsNamed() throws IOException {
        Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"lla");
        assertRefused("config.json can't be read as JSON", "download it again");
    }

    @Test
    void aConfigWithoutAKindIsNamed() throws IOException {
        Files.writeString(folder.resolve("config.json"), "{}");
        assertRefused("no model_type", "llama");
    }

    @Test
    void aKindThatJlamaDoesNotRunIsNamed() throws IOException {
        Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"mamba\"}");
        assertRefused("model_type 'mamba'", "expected one that Jlama runs");
    }

    @Test
    void missingWeightsAreNamed() throws IOException {
        Files.delete(folder.resolve("model.safetensors"));
        assertRefused("has no weights", "GGUF");
    }

    @Test
    void weightsThatAreCutOffAreNamedWithBothLengths() throws IOException {
        writeWeights("model.safetensors", HEADER, 15);
        assertRefused("is cut off", String.valueOf(Long.BYTES + HEADER.length() + 15));
    }

    @Test
    void aHeaderThatIsCutOffIsNamed() throws IOException {
        Files.write(folder.resolve("model.safetensors"), new byte[] {100, 0, 0, 0, 0, 0, 0, 0, '{'});
        assertRefused("header has 100 bytes", "cut off");
    }

    @Test
    void anEmptyWeightsFileIsNamed() throws IOException {
        Files.write(folder.resolve("model.safetensors"), new byte[0]);
        assertRefused("shorter than a header");
    }

    @Test
    void aWeightsFileOfAnotherFormatIsNamed() throws IOException {
        Files.writeString(folder.resolve("model.safetensors"), "<html>Not found, please log in</html>");
        assertRefused("no safetensors file");
    }

    @Test
    void weightsWithoutTensorsAreNamed() throws IOException {
        writeWeights("model.safetensors", "{}", 0);
        assertRefused("holds no tensors");
    }

    @Test
    void aFileThatTheIndexNamesMustBeThere() throws IOException {
        Files.delete(folder.resolve("model.safetensors"));
        Files.writeString(
                folder.resolve("model.safetensors.index.json"),
                "{\"weight_map\": {\"w\": \"model-00001-of-00001.safetensors\"}}");
        assertRefused("model-00001-of-00001.safetensors is missing");
    }

    @Test
    void aNameThatIsNeitherFolderNorIdIsRefused() {
        assertThatThrownBy(() -> new JlamaHost().load("no/such/model", new LoadOptions("auto", 0, true, "auto")))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("does not exist");
    }

    @Test
    void kernelsThatDoNotExistAreRefused() {
        assertThatThrownBy(() -> new JlamaHost().load(folder.toString(), new LoadOptions("abacus", 0, true, "auto")))
                .isInstanceOf(PrismException.class)
                .hasMessageContainingAll("abacus", "prism.kernels");
    }
}
