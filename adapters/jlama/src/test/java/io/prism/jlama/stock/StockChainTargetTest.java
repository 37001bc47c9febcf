package io.prism.jlama.stock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.tjake.jlama.model.AbstractModel;
import io.prism.jlama.target.JlamaTarget;
import io.prism.jlama.target.JlamaTargets;
import io.prism.jlama.testing.Sessions;
import io.prism.jlama.testing.StockReference;
import io.prism.jlama.testing.TestModels;
import io.prism.kernels.Kernels;
import io.prism.kernels.Precision;
import io.prism.spi.Activations;
import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import io.prism.spi.PrismException;
import io.prism.spi.TargetModel;
import io.prism.spi.TargetSession;
import io.prism.tree.TokenTree;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StockChainTargetTest {
    private static final int VOCABULARY = 512;
    private static final int PROMPT = 7;
    private static final int MOST_ATTEMPTS = 100;

    @TempDir
    Path folder;

    /**
     * Jlama's sums depend on whether the JIT compiler is done with them, so equality of all bits may take some attempts; no
     * number of attempts would bring it about by chance.
     */
    @ParameterizedTest
    @ValueSource(strings = {"gemma", "gemma2", "granite", "mixtral", "gpt2"})
    void aChainGivesBitForBitWhatJlamaComputesOneTokenAtATime(String modelType) {
        AbstractModel model = TestModels.tiny(folder, modelType, Precision.F32);
        StockChainTarget target = StockChainTarget.of(model);
        int[] tokens = Sessions.tokens(40, VOCABULARY, 1);
        float[][] expected = {};
        float[][] chained = {};
        for (int attempt = 0;
                attempt < MOST_ATTEMPTS && (attempt == 0 || !Arrays.deepEquals(chained, expected));
                attempt++) {
            chained = chained(target, tokens);
            expected =
                    Arrays.copyOfRange(StockReference.logits(model, tokens), PROMPT - 1, PROMPT - 1 + chained.length);
        }
        assertThat(chained.length).isGreaterThan(20);
        assertThat(chained).isDeepEqualTo(expected);
    }

    /** Logits after the prompt and after every token that chains of the target's size reach. */
    private static float[][] chained(StockChainTarget target, int[] tokens) {
        List<float[]> logits = new ArrayList<>();
        int rows = target.maxTreeRows();
        try (TargetSession session = target.openSession(HiddenStateRequest.NONE)) {
            logits.add(Sessions.logits(session.prefill(tokens, 0, PROMPT), PROMPT - 1, VOCABULARY));
            for (int from = PROMPT; from + rows <= tokens.length; from += rows) {
                verifyAndReject(session, rows);
                PassOutput output = session.verify(chain(tokens, from, rows));
                for (int i = 0; i < rows; i++) {
                    logits.add(Sessions.logits(output, i, VOCABULARY));
                }
                session.commit(firstNodes(rows), rows);
            }
        }
        return logits.toArray(float[][]::new);
    }

    /** Leaves wrong keys and values behind, which must not matter. */
    private static void verifyAndReject(TargetSession session, int rows) {
        int length = session.length();
        session.verify(chain(Sessions.tokens(rows, VOCABULARY, length), 0, rows));
        assertThat(session.length()).isEqualTo(length);
    }

    private static TokenTree chain(int[] tokens, int from, int count) {
        TokenTree tree = new TokenTree(tokens[from]);
        for (int i = 1; i < count; i++) {
            tree.add(i - 1, tokens[from + i], -1);
        }
        return tree;
    }

    private static int[] firstNodes(int count) {
        int[] path = new int[count];
        Arrays.setAll(path, i -> i);
        return path;
    }

    /** Jlama mixes up the rows of a batch there. */
    @Test
    void aMixtureOfExpertsIsDecodedOneTokenAtATime() {
        AbstractModel model = TestModels.tiny(folder, "mixtral", Precision.F32);
        assertThat(StockChainTarget.of(model).maxTreeRows()).isEqualTo(1);
    }

    @Test
    void aDenseModelVerifiesSeveralTokensAtOnce() {
        AbstractModel model = TestModels.tiny(folder, "gemma2", Precision.F32);
        StockChainTarget target = StockChainTarget.of(model);
        // on a busy machine the JIT compiler may not be done with Jlama in the time a target waits for it
        for (int attempt = 1; attempt < MOST_ATTEMPTS && target.maxTreeRows() == 1; attempt++) {
            target = StockChainTarget.of(model);
        }
        assertThat(target.maxTreeRows()).isGreaterThan(1);
        assertThat(target.verifiesTrees()).isFalse();
    }

    @Test
    void hiddenStatesAreThoseAfterTheFinalNorm() {
        AbstractModel model = TestModels.tiny(folder, "gemma", Precision.F32);
        StockChainTarget target = StockChainTarget.of(model);
        int[] tokens = Sessions.tokens(6, VOCABULARY, 2);
        try (TargetSession session = target.openSession(new HiddenStateRequest(true, List.of()))) {
            PassOutput output = session.prefill(tokens, 0, tokens.length);
            float logit = 0;
            for (int i = 0; i < 128; i++) {
                logit += output.hiddenStates()[5 * 128 + i]
                        * model.getWeights().load("model.embed_tokens.weight").get(17, i);
            }
            // a sum of 128 products in another order
            assertThat(output.logits()[output.logitsOffset(5) + 17])
                    .isCloseTo(logit, org.assertj.core.data.Offset.offset(1e-3f));
        }
        assertThatThrownBy(() -> target.openSession(new HiddenStateRequest(false, List.of(0))))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("GEMMA");
    }

    @Test
    void branchesWrongTokensAndFullContextsAreRefused() {
        AbstractModel model = TestModels.tiny(folder, "gemma", Precision.F32);
        StockChainTarget target = StockChainTarget.of(model);
        TokenTree branches = new TokenTree(1);
        branches.add(0, 2, -1);
        branches.add(0, 3, -1);
        try (TargetSession session = target.openSession(HiddenStateRequest.NONE)) {
            session.prefill(new int[] {4, 5}, 0, 2);
            assertThatThrownBy(() -> session.verify(branches))
                    .isInstanceOf(PrismException.class)
                    .hasMessageContaining("branches");
            assertThatThrownBy(() -> session.prefill(new int[] {VOCABULARY}, 0, 1))
                    .isInstanceOf(PrismException.class)
                    .hasMessageContaining("512");
            assertThatThrownBy(() -> session.prefill(new int[256], 0, 256))
                    .isInstanceOf(PrismException.class)
                    .hasMessageContaining("context");
            assertThatThrownBy(() -> session.commit(new int[] {0}, 1)).isInstanceOf(IllegalArgumentException.class);
            assertThat(session.length()).isEqualTo(2);
        }
    }

    @Test
    void theLastPositionOfItsCapacityCanBeReached() {
        AbstractModel model = TestModels.tiny(folder, "gemma", Precision.F32);
        StockChainTarget target = StockChainTarget.of(model);
        try (TargetSession session = target.openSession(HiddenStateRequest.NONE)) {
            assertThat(session.capacity()).isEqualTo(254);
            session.prefill(Sessions.tokens(254, VOCABULARY, 3), 0, 254);
            assertThat(session.length()).isEqualTo(254);
        }
    }

    @Test
    void theWayToRunAModelIsFound() {
        try (Kernels kernels = TestModels.kernels("auto");
                TargetModel ours = JlamaTargets.open(
                        TestModels.tiny(folder.resolve("a"), "llama", Precision.F32), kernels, true, Activations.AUTO);
                TargetModel stock = JlamaTargets.open(
                        TestModels.tiny(folder.resolve("b"), "gemma2", Precision.F32),
                        kernels,
                        true,
                        Activations.AUTO)) {
            assertThat(ours).isInstanceOf(JlamaTarget.class);
            assertThat(stock).isInstanceOf(StockChainTarget.class);
        }
    }
}
