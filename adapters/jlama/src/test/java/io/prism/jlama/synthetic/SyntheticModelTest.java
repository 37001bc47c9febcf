package io.prism.jlama.synthetic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.tensor.AbstractTensor;
import io.prism.jlama.internals.ModelMembers;
import io.prism.jlama.testing.TestModels;
import io.prism.kernels.Precision;
import io.prism.spi.PrismException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SyntheticModelTest {
    private static final SyntheticShape TINY = SyntheticShape.named("tiny");

    @TempDir
    Path folder;

    @Test
    void weightsHaveTheSpreadTheyAreScaledTo() {
        SyntheticModel.write(folder, TINY, Precision.BF16, 1, Optional.empty());
        AbstractTensor<?, ?> gate = TestModels.load(folder).getWeights().load("model.layers.1.mlp.gate_proj.weight");
        double squares = 0;
        double sum = 0;
        for (int row = 0; row < 256; row++) {
            for (int column = 0; column < 128; column++) {
                squares += gate.get(row, column) * gate.get(row, column);
                sum += gate.get(row, column);
            }
        }
        int elements = 256 * 128;
        double deviation = 1 / Math.sqrt(128);
        // five standard errors of mean and deviation over this many elements
        assertThat(Math.sqrt(squares / elements))
                .isCloseTo(
                        deviation,
                        org.assertj.core.data.Percentage.withPercentage(100 * 5 / Math.sqrt(2.0 * elements)));
        assertThat(sum / elements)
                .isCloseTo(0, org.assertj.core.data.Offset.offset(5 * deviation / Math.sqrt(elements)));
    }

    @Test
    void equalSeedsGiveEqualFiles() throws IOException {
        Path first = folder.resolve("first");
        Path second = folder.resolve("second");
        SyntheticModel.write(first, TINY, Precision.F32, 5, Optional.empty());
        SyntheticModel.write(second, TINY, Precision.F32, 5, Optional.empty());
        assertThat(Files.mismatch(first.resolve("model.safetensors"), second.resolve("model.safetensors")))
                .isEqualTo(-1);
    }

    @Test
    void aLargeModelIsSplitIntoFilesThatHoldTheSameWeights() {
        Path whole = folder.resolve("whole");
        Path split = folder.resolve("split");
        SyntheticModel.write(whole, TINY, Precision.F32, 5, Optional.empty());
        SyntheticModel.write(split, TINY, Precision.F32, 5, Optional.empty(), 300_000);
        assertThat(split.resolve("model.safetensors.index.json")).exists();
        AbstractModel expected = TestModels.load(whole);
        AbstractModel actual = TestModels.load(split);
        for (String name : expected.getWeights().tensorInfoMap().keySet()) {
            assertThat(actual.getWeights()
                            .load(name)
                            .getMemorySegment()
                            .mismatch(expected.getWeights().load(name).getMemorySegment()))
                    .as(name)
                    .isEqualTo(-1);
        }
    }

    @Test
    void aSmallerModelReplacesALargerOne() {
        SyntheticModel.write(folder, TINY, Precision.F32, 5, Optional.empty(), 300_000);
        SyntheticModel.write(folder, TINY.withModelType("gpt2"), Precision.F32, 6, Optional.empty());
        assertThat(folder.resolve("model.safetensors.index.json")).doesNotExist();
        assertThat(TestModels.load(folder).getWeights().isWeightPresent("wte.weight"))
                .isTrue();
    }

    @Test
    void textGoesThroughTheTokenizerUnchanged() {
        SyntheticModel.write(folder, TINY, Precision.F32, 1, Optional.empty());
        AbstractModel model = TestModels.load(folder);
        String text = "A basket: \"12\" apples \\ 7 pears.";
        long[] tokens = model.getTokenizer().encode(text);
        assertThat(tokens).hasSize(text.length());
        assertThat(model.getTokenizer().decode(tokens)).isEqualTo(text);
        for (int token = 0; token < TINY.vocabulary(); token++) {
            assertThat(model.getTokenizer().decode(token)).isNotNull();
        }
        assertThat(model.getConfig().bosToken).isEqualTo(TINY.beginToken());
        assertThat(model.getConfig().eosTokens).containsExactly(TINY.endToken());
    }

    @Test
    void aQ4ModelKeepsItsEmbedding() {
        Path dense = folder.resolve("dense");
        Path q4 = folder.resolve("q4");
        SyntheticModel.write(dense, TINY, Precision.BF16, 1, Optional.empty());
        Q4Model.quantize(dense, q4);
        AbstractModel model = TestModels.load(q4);
        assertThat(model.getWeights().getModelDType()).isEqualTo(DType.Q4);
        assertThat(new ModelMembers()
                        .sampleOutput(model)
                        .getOutputLogitsWeights()
                        .dType())
                .isEqualTo(DType.BF16);
        assertThatThrownBy(() -> Q4Model.quantize(dense, q4))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("exists already");
    }

    @Test
    void whatCanNotBeWrittenIsSaid() {
        assertThatThrownBy(() -> SyntheticShape.named("llama-9b"))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("llama-9b")
                .hasMessageContaining("llama-3.2-1b");
        assertThatThrownBy(() -> new SyntheticShape("llama", 100, 200, 2, 3, 1, 512, 64, true))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("multiple of the heads");
        assertThatThrownBy(() -> new SyntheticShape("llama", 128, 256, 2, 4, 2, 100, 64, true))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("more than 258");
        assertThatThrownBy(() ->
                        SyntheticModel.write(folder, TINY.withModelType("bert"), Precision.F32, 1, Optional.empty()))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("bert");
        assertThatThrownBy(() ->
                        SyntheticModel.write(folder, TINY, Precision.F32, 1, Optional.of(folder.resolve("nowhere"))))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("nowhere");
    }
}
