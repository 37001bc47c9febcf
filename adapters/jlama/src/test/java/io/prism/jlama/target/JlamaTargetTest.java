package io.prism.jlama.target;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.tjake.jlama.model.AbstractModel;
import io.prism.jlama.internals.UnsupportedModelException;
import io.prism.jlama.synthetic.Q4Model;
import io.prism.jlama.synthetic.SyntheticModel;
import io.prism.jlama.synthetic.SyntheticShape;
import io.prism.jlama.testing.Sessions;
import io.prism.jlama.testing.StockReference;
import io.prism.jlama.testing.TestModels;
import io.prism.kernels.Kernels;
import io.prism.kernels.Precision;
import io.prism.spi.Activations;
import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import io.prism.spi.PrismException;
import io.prism.spi.TargetSession;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JlamaTargetTest {
    /** Both sum the same F32 products in different order: differences of a few units in the last place per layer. */
    private static final float F32_TOLERANCE = 1e-4f;

    private static final int TOKENS = 24;

    @TempDir
    Path folder;

    private Kernels kernels;

    @BeforeEach
    void openKernels() {
        kernels = TestModels.kernels("auto");
    }

    @AfterEach
    void closeKernels() {
        kernels.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "mistral", "qwen2"})
    void logitsOfAnF32ModelAgreeWithStockJlama(String modelType) {
        AbstractModel model = TestModels.tiny(folder, modelType, Precision.F32);
        assertAgreesWithStock(model, F32_TOLERANCE);
    }

    @Test
    void anUntiedHeadIsUsed() {
        SyntheticShape shape = new SyntheticShape("llama", 128, 256, 2, 4, 4, 512, 256, false);
        assertAgreesWithStock(TestModels.write(folder, shape, Precision.F32), F32_TOLERANCE);
    }

    /** Stock rounds activations to BF16 (8 bits of precision) before every product; ours does not. */
    @Test
    void logitsOfABf16ModelAgreeWithStockJlamaWithinItsRounding() {
        assertAgreesWithStock(TestModels.tiny(folder, "llama", Precision.BF16), 0.05f);
    }

    /** Models this small run in stock with F32 activations, and so do ours. */
    @Test
    void logitsOfANarrowQ4ModelAgreeWithStockJlama() {
        assertAgreesWithStock(q4(128), F32_TOLERANCE);
    }

    @Test
    void activationsAreRoundedWhereStockRoundsThemUnlessToldOtherwise() {
        AbstractModel narrow = q4(128);
        AbstractModel wide = q4(512);
        int[] tokens = Sessions.tokens(TOKENS, 512, 7);
        try (JlamaTarget rounded = JlamaTarget.of(wide, kernels, true);
                JlamaTarget exact = JlamaTarget.of(wide, kernels, true, Activations.F32);
                JlamaTarget asIs = JlamaTarget.of(narrow, kernels, true);
                JlamaTarget told = JlamaTarget.of(narrow, kernels, true, Activations.ROUNDED)) {
            assertThat(rounded.engine()).contains("Q4 by rounded activations");
            assertThat(told.engine()).contains("Q4 by rounded activations");
            assertThat(exact.engine()).contains("Q4, ");
            assertThat(asIs.engine()).contains("Q4, ");
            float[][] expected = Sessions.plain(exact, tokens);
            float[][] stock = StockReference.logits(wide, tokens);
            float[][] found = Sessions.plain(rounded, tokens);
            double error = 0;
            double stockError = 0;
            for (int i = 0; i < TOKENS; i++) {
                error += relativeError(found[i], expected[i]);
                stockError += relativeError(stock[i], expected[i]);
            }
            assertThat(error).isPositive().isLessThan(0.75 * stockError);
        }
    }

    private AbstractModel q4(int width) {
        Path dense = folder.resolve("dense-" + width);
        Path q4 = folder.resolve("q4-" + width);
        SyntheticShape shape = new SyntheticShape("llama", width, 2 * width, 2, 4, 4, 512, 256, false);
        SyntheticModel.write(dense, shape, Precision.F32, 1, Optional.empty());
        Q4Model.quantize(dense, q4);
        return TestModels.load(q4);
    }

    private void assertAgreesWithStock(AbstractModel model, float tolerance) {
        int vocabulary = model.getConfig().vocabularySize;
        int[] tokens = Sessions.tokens(TOKENS, vocabulary, 7);
        float[][] expected = StockReference.logits(model, tokens);
        try (JlamaTarget target = JlamaTarget.of(model, kernels, true)) {
            float[][] actual = Sessions.plain(target, tokens);
            for (int i = 0; i < TOKENS; i++) {
                assertThat(relativeError(actual[i], expected[i]))
                        .as("relative error after token %d", i)
                        .isLessThan(tolerance);
            }
        }
    }

    /** Root mean square of the difference, relative to that of what is expected. */
    private static double relativeError(float[] actual, float[] expected) {
        double difference = 0;
        double size = 0;
        for (int i = 0; i < expected.length; i++) {
            difference += Math.pow(actual[i] - expected[i], 2);
            size += Math.pow(expected[i], 2);
        }
        return Math.sqrt(difference / size);
    }

    /** In-place and repacked kernels may sum in different orders. */
    @ParameterizedTest
    @ValueSource(strings = {"F32", "BF16"})
    void weightsReadInPlaceGiveTheSameWithinRounding(Precision precision) {
        AbstractModel model = TestModels.tiny(folder, "llama", precision);
        int[] tokens = Sessions.tokens(TOKENS, 512, 3);
        try (JlamaTarget packed = JlamaTarget.of(model, kernels, true);
                JlamaTarget inPlace = JlamaTarget.of(model, kernels, false)) {
            float[][] expected = Sessions.plain(packed, tokens);
            float[][] actual = Sessions.plain(inPlace, tokens);
            for (int i = 0; i < TOKENS; i++) {
                assertThat(relativeError(actual[i], expected[i])).isLessThan(F32_TOLERANCE);
            }
            assertThat(inPlace.ownBytes()).isZero();
            assertThat(packed.ownBytes()).isPositive();
            assertThat(packed.engine()).contains(precision.name()).contains("repacked");
            assertThat(inPlace.engine()).contains("in place");
        }
    }

    @Test
    void theScalarReferenceAndTheChosenKernelsAgree() {
        AbstractModel model = TestModels.tiny(folder, "llama", Precision.BF16);
        int[] tokens = Sessions.tokens(TOKENS, 512, 4);
        try (Kernels scalar = TestModels.kernels("scalar");
                JlamaTarget reference = JlamaTarget.of(model, scalar, true);
                JlamaTarget target = JlamaTarget.of(model, kernels, true)) {
            float[][] expected = Sessions.plain(reference, tokens);
            float[][] actual = Sessions.plain(target, tokens);
            for (int i = 0; i < TOKENS; i++) {
                assertThat(relativeError(actual[i], expected[i])).isLessThan(F32_TOLERANCE);
            }
        }
    }

    @Test
    void hiddenStatesAreThoseTheHeadReads() {
        AbstractModel model = TestModels.tiny(folder, "llama", Precision.F32);
        int[] tokens = Sessions.tokens(9, 512, 5);
        HiddenStateRequest request = new HiddenStateRequest(true, List.of(1, 0));
        try (JlamaTarget target = JlamaTarget.of(model, kernels, true);
                TargetSession session = target.openSession(request)) {
            PassOutput output = session.prefill(tokens, 0, tokens.length);
            int last = tokens.length - 1;
            float[] normed = new float[128];
            float[] ones = JlamaTargetTest.finalNorm(model);
            kernels.rmsNorm(output.layerStates(0), last * 128, ones, 1e-5f, 1, 128, normed, 0);
            float[] kept = new float[128];
            System.arraycopy(output.hiddenStates(), last * 128, kept, 0, 128);
            assertThat(kept).isEqualTo(normed);
            float logit = 0;
            for (int i = 0; i < 128; i++) {
                logit += kept[i]
                        * model.getWeights().load("model.embed_tokens.weight").get(17, i);
            }
            // a sum of 128 products in another order
            assertThat(output.logits()[output.logitsOffset(last) + 17])
                    .isCloseTo(logit, org.assertj.core.data.Offset.offset(1e-4f));
            assertThat(output.layerStates(1)).isNotEqualTo(output.layerStates(0));
        }
    }

    private static float[] finalNorm(AbstractModel model) {
        float[] weights = new float[128];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = model.getWeights().load("model.norm.weight").get(0, i);
        }
        return weights;
    }

    @Test
    void theFingerprintTellsModelsApart() {
        SyntheticShape tiny = SyntheticShape.named("tiny");
        Path first = folder.resolve("first");
        Path other = folder.resolve("other");
        SyntheticModel.write(first, tiny, Precision.BF16, 1, Optional.empty());
        SyntheticModel.write(other, tiny, Precision.BF16, 2, Optional.empty());
        assertThat(fingerprint(first)).isEqualTo(fingerprint(first)).isNotEqualTo(fingerprint(other));
    }

    private String fingerprint(Path model) {
        try (JlamaTarget target = JlamaTarget.of(TestModels.load(model), kernels, true)) {
            return target.description().fingerprint();
        }
    }

    @Test
    void otherKindsOfModelsAreRefusedWithAReason() {
        AbstractModel model = TestModels.tiny(folder, "gemma", Precision.F32);
        assertThatThrownBy(() -> JlamaTarget.of(model, kernels, true))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("GEMMA")
                .hasMessageContaining("LLAMA");
    }

    @Test
    void damagedWeightsAreReportedWithTheLayer() throws IOException {
        SyntheticModel.write(folder, SyntheticShape.named("tiny"), Precision.F32, 1, Optional.empty());
        poison(folder.resolve("model.safetensors"), "model.layers.1.mlp.down_proj.weight");
        AbstractModel model = TestModels.load(folder);
        assertThatThrownBy(() -> JlamaTarget.of(model, kernels, true))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("layer 1")
                .hasMessageContaining("NaN");
    }

    /** Makes the first element of a tensor NaN. */
    private static void poison(Path file, String tensor) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int headerLength = (int) buffer.getLong(0);
        String header = new String(bytes, 8, headerLength, java.nio.charset.StandardCharsets.US_ASCII);
        String entry = header.substring(header.indexOf("\"" + tensor + "\""));
        String offsets = entry.substring(entry.indexOf("data_offsets\":[") + "data_offsets\":[".length());
        int offset = Integer.parseInt(offsets.substring(0, offsets.indexOf(',')));
        buffer.putFloat(8 + headerLength + offset, Float.NaN);
        Files.write(file, bytes);
    }

    @Test
    void statesOfALayerThatDoesNotExistAreRefused() {
        AbstractModel model = TestModels.tiny(folder, "llama", Precision.F32);
        try (JlamaTarget target = JlamaTarget.of(model, kernels, true)) {
            assertThatThrownBy(() -> target.openSession(new HiddenStateRequest(false, List.of(2))))
                    .isInstanceOf(PrismException.class)
                    .hasMessageContaining("layer 2")
                    .hasMessageContaining("2 layers");
        }
    }
}
