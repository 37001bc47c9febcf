package io.prism.jlama.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.safetensors.DType;
import io.prism.jlama.testing.TestModels;
import io.prism.spi.ModelSynthesizer.SmallModel;
import io.prism.spi.PrismException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JlamaSynthesizerTest {
    private final JlamaSynthesizer synthesizer = new JlamaSynthesizer();

    @TempDir
    private Path folder;

    private Path small;
    private Path out;

    @BeforeEach
    void writeSmallModel() {
        small = folder.resolve("small");
        out = folder.resolve("out");
        synthesizer.synthesize("tiny", "bf16", small);
    }

    @ParameterizedTest
    @CsvSource({"f32, F32", "bf16, BF16", "q4, Q4"})
    void anExpandedModelLoadsAtItsShapeAndType(String dtype, DType stored) throws IOException {
        synthesizer.expand(small(Optional.empty()), "snakes-6m", dtype, out);
        try (AbstractModel model = TestModels.load(out)) {
            assertThat(model.getConfig().embeddingLength).isEqualTo(256);
            assertThat(model.getConfig().numberOfLayers).isEqualTo(6);
            assertThat(model.getConfig().vocabularySize).isEqualTo(4096);
            assertThat(model.getWeights()
                            .load("model.layers.5.mlp.up_proj.weight")
                            .dType())
                    .isEqualTo(stored);
        }
        assertThat(Files.readString(out.resolve("README.md"))).contains("small, expanded");
    }

    @Test
    void whereExpandingFailsNothingStays() {
        assertThatThrownBy(() -> synthesizer.expand(small(Optional.of(small)), "snakes-6m", "bf16", out))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("expected the folder of a draft model");
        assertThat(out).doesNotExist();
    }

    @Test
    void aFolderThatHoldsSomethingIsLeftAlone() {
        assertThatThrownBy(() -> synthesizer.expand(small(Optional.empty()), "snakes-6m", "bf16", small))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("not empty");
        assertThat(small.resolve("config.json")).exists();
    }

    @Test
    void whatIsNoModelIsSaid() {
        SmallModel missing = new SmallModel(folder.resolve("nowhere"), Optional.empty(), OptionalInt.empty());
        assertThatThrownBy(() -> synthesizer.expand(missing, "snakes-6m", "bf16", out))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("does not exist");
        assertThatThrownBy(() -> synthesizer.expand(small(Optional.empty()), "snakes-6m", "q5", out))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("q5");
    }

    private SmallModel small(Optional<Path> drafter) {
        return new SmallModel(small, drafter, OptionalInt.empty());
    }
}
