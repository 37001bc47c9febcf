package io.prism.jlama.expansion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.tjake.jlama.model.AbstractModel;
import io.prism.jlama.modelfile.DiskSpace;
import io.prism.jlama.synthetic.Q4Model;
import io.prism.jlama.synthetic.SyntheticModel;
import io.prism.jlama.synthetic.SyntheticShape;
import io.prism.jlama.target.JlamaTarget;
import io.prism.jlama.testing.TestModels;
import io.prism.kernels.Kernels;
import io.prism.kernels.Precision;
import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import io.prism.spi.PrismException;
import io.prism.spi.TargetSession;
import io.prism.tree.TokenTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelExpansionTest {
    /** Heads of 32 elements; two query heads share a key/value head. */
    private static final SyntheticShape SMALL = SyntheticShape.named("tiny");

    private static final int TOKENS = 12;

    @TempDir
    Path folder;

    @ParameterizedTest(name = "{0}, {1}, {2} wide, MLP {3}, {4} layers, {5} key/value heads, {6} tokens")
    @CsvSource({
        "llama, F32, 128, 256, 2, 2, 512",
        "llama, F32, 512, 320, 2, 4, 512",
        "llama, BF16, 512, 256, 5, 8, 700",
        "llama, BF16, 256, 256, 2, 8, 512", // norms rounded; one head where two shared one
        "llama, Q4, 512, 288, 3, 2, 512",
        "mistral, BF16, 384, 256, 2, 4, 512",
        "qwen2, BF16, 512, 256, 3, 4, 600"
    })
    void logitsStayTheSame(
            String type, Precision precision, int hidden, int mlp, int layers, int kvHeads, int vocabulary) {
        Path small = folder.resolve("small");
        Path dense = precision == Precision.Q4 ? folder.resolve("dense") : small;
        Precision stored = precision == Precision.Q4 ? Precision.BF16 : precision;
        SyntheticModel.write(dense, SMALL.withModelType(type), stored, 7, Optional.empty());
        if (precision == Precision.Q4) {
            Q4Model.quantize(dense, small);
        }
        int heads = hidden / SMALL.headSize();
        Path large = expand(
                small,
                new SyntheticShape("llama", hidden, mlp, layers, heads, kvHeads, vocabulary, 256, true),
                Optional.of(stored));
        float[][] before = logits(small);
        float[][] after = logits(large);
        for (int step = 0; step < TOKENS; step++) {
            float largest = 0;
            for (float logit : before[step]) {
                largest = Math.max(largest, Math.abs(logit));
            }
            float difference = 0;
            for (int token = 0; token < SMALL.vocabulary(); token++) {
                difference = Math.max(difference, Math.abs(after[step][token] - before[step][token]));
            }
            // sums of the same terms in another order, and norms rounded to F32
            assertThat(difference).as("step %d", step).isLessThanOrEqualTo(2e-5f * largest);
        }
    }

    @Test
    void whatDoesNotFitTheDiskIsRefusedBeforeItIsBegun() {
        assertThatThrownBy(() -> DiskSpace.require(folder.resolve("new/folder"), Long.MAX_VALUE))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("GB left")
                .hasMessageContaining("make room");
    }

    @Test
    void modelsThatOnlyJlamaRunsAreRefused() {
        SyntheticModel.write(folder, SMALL.withModelType("gemma"), Precision.F32, 7, Optional.empty());
        assertThatThrownBy(() -> ModelExpansion.of(folder, SMALL))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("Can't expand")
                .hasMessageContaining("GEMMA");
    }

    private Path expand(Path small, SyntheticShape shape, Optional<Precision> dense) {
        Path large = folder.resolve("large");
        try (ModelExpansion expansion = ModelExpansion.of(small, shape)) {
            expansion.write(Files.createDirectories(large), dense);
            return large;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Logits of the first tokens after each of a few tokens. */
    private static float[][] logits(Path folder) {
        float[][] logits = new float[TOKENS][SMALL.vocabulary()];
        try (AbstractModel model = TestModels.load(folder);
                Kernels kernels = TestModels.kernels("vector");
                JlamaTarget target = JlamaTarget.of(model, kernels, true);
                TargetSession session = target.openSession(HiddenStateRequest.NONE)) {
            for (int step = 0; step < TOKENS; step++) {
                PassOutput output = session.verify(new TokenTree(37 * step % SMALL.vocabulary()));
                System.arraycopy(output.logits(), output.logitsOffset(0), logits[step], 0, SMALL.vocabulary());
                session.commit(new int[] {0}, 1);
            }
        }
        return logits;
    }
}
