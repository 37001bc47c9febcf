package io.prism.jlama.target;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.tjake.jlama.model.AbstractModel;
import io.prism.jlama.synthetic.SyntheticShape;
import io.prism.jlama.testing.Sessions;
import io.prism.jlama.testing.TestModels;
import io.prism.kernels.Kernels;
import io.prism.kernels.Precision;
import io.prism.spi.ExpectedOutput;
import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import io.prism.spi.PassRequest;
import io.prism.spi.TargetSession;
import io.prism.tree.TokenTree;
import io.prism.verify.SamplingParameters;
import io.prism.verify.SamplingVerifier;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A model whose head is large enough to be worth searching. */
class FoundTokensTest {
    private static final int VOCABULARY = 140_000;

    private static final SyntheticShape SHAPE = new SyntheticShape("llama", 128, 128, 1, 4, 2, VOCABULARY, 64, true);

    /** The most rows that are searched in BF16. */
    private static final int MOST_ROWS = 2;

    @TempDir
    static Path folder;

    private static Kernels kernels;
    private static AbstractModel model;
    private static JlamaTarget target;

    @BeforeAll
    static void load() {
        kernels = TestModels.kernels("vector");
        model = TestModels.write(folder, SHAPE, Precision.BF16);
        target = JlamaTarget.of(model, kernels, true);
    }

    @AfterAll
    static void close() {
        target.close();
        kernels.close();
    }

    private static TargetSession greedySession() {
        return greedySession(target);
    }

    private static TargetSession greedySession(JlamaTarget of) {
        TargetSession session = of.openSession(HiddenStateRequest.NONE);
        session.expect(ExpectedOutput.GREEDY_TOKENS);
        return session;
    }

    private static int argmax(PassOutput output, int row) {
        return kernels.argmax(output.logits(), output.logitsOffset(row), VOCABULARY);
    }

    private static TokenTree tree(int seed, int nodes) {
        int[] tokens = Sessions.tokens(nodes, VOCABULARY, seed);
        TokenTree tree = new TokenTree(tokens[0]);
        for (int node = 1; node < nodes; node++) {
            tree.add((node - 1) / 2, tokens[node], -1);
        }
        return tree;
    }

    @Test
    void areThoseWithTheLargestLogits() {
        assertThat(target.findsTokens()).isTrue();
        for (int seed = 0; seed < 20; seed++) {
            int[] prompt = Sessions.tokens(9, VOCABULARY, seed);
            try (TargetSession greedy = greedySession();
                    TargetSession logits = target.openSession(HiddenStateRequest.NONE)) {
                PassOutput found = greedy.prefill(prompt, 0, prompt.length);
                assertThat(found.token(8)).isEqualTo(argmax(logits.prefill(prompt, 0, prompt.length), 8));
                assertThatThrownBy(found::logits).isInstanceOf(IllegalStateException.class);
                assertThatThrownBy(() -> found.token(7)).isInstanceOf(IndexOutOfBoundsException.class);
                for (int rows = 1; rows <= MOST_ROWS; rows++) {
                    TokenTree tree = tree(seed + rows, rows);
                    greedy.verify(tree);
                    PassOutput full = logits.verify(tree);
                    for (int row = 0; row < rows; row++) {
                        assertThat(full.token(row)).isNegative();
                        assertThat(found.token(row)).isEqualTo(argmax(full, row));
                    }
                }
            }
        }
    }

    /** Drawn by the pass or from its logits, a token is the same. */
    @ParameterizedTest
    @ValueSource(floats = {0.3f, 1, 2})
    void areThoseDrawnFromTheLogits(float temperature) {
        SamplingVerifier verifier = new SamplingVerifier(kernels, VOCABULARY);
        int searched = 0;
        for (int seed = 0; seed < 20; seed++) {
            verifier.begin(new SamplingParameters(temperature, 1, 0), seed);
            int[] prompt = Sessions.tokens(9, VOCABULARY, seed);
            try (TargetSession drawn = target.openSession(HiddenStateRequest.NONE);
                    TargetSession logits = target.openSession(HiddenStateRequest.NONE)) {
                drawn.expect(verifier.expected());
                PassOutput found = drawn.prefill(prompt, 0, prompt.length);
                PassOutput full = logits.prefill(prompt, 0, prompt.length);
                searched += found.token(8) >= 0 ? 1 : 0;
                assertThat(verifier.choose(found, 8, 9)).isEqualTo(verifier.choose(full, 8, 9));
                for (int rows = 1; rows <= MOST_ROWS; rows++) {
                    TokenTree tree = tree(seed + rows, rows);
                    drawn.verify(tree);
                    logits.verify(tree);
                    for (int row = 0; row < rows; row++) {
                        searched += found.token(row) >= 0 ? 1 : 0;
                        int position = 9 + tree.depth(row) + 1;
                        assertThat(verifier.choose(found, row, position))
                                .isEqualTo(verifier.choose(full, row, position));
                    }
                }
            }
        }
        assertThat(searched).isGreaterThan(60);
    }

    @Test
    void ofGreedyAndDrawingSessionsAreFoundTogether() {
        SamplingVerifier verifier = new SamplingVerifier(kernels, VOCABULARY);
        verifier.begin(new SamplingParameters(1, 1, 0), 4);
        int[] prompt = Sessions.tokens(5, VOCABULARY, 3);
        try (TargetSession greedy = greedySession();
                TargetSession drawing = target.openSession(HiddenStateRequest.NONE)) {
            drawing.expect(verifier.expected());
            int best = greedy.prefill(prompt, 0, 5).token(4);
            int drawn = drawing.prefill(prompt, 0, 5).token(4);
            greedy.truncate(0);
            drawing.truncate(0);
            List<PassOutput> together = target.runTogether(List.of(
                    new PassRequest.Prefill(drawing, prompt, 0, 5), new PassRequest.Prefill(greedy, prompt, 0, 5)));
            assertThat(together.getFirst().token(4)).isEqualTo(drawn).isNotEqualTo(best);
            assertThat(together.getLast().token(4)).isEqualTo(best);
        }
    }

    @Test
    void ofMoreRowsAreLeftToTheLogits() {
        try (TargetSession greedy = greedySession()) {
            greedy.prefill(new int[] {1, 2}, 0, 2);
            PassOutput output = greedy.verify(tree(1, MOST_ROWS + 1));
            assertThat(output.token(0)).isNegative();
            assertThat(argmax(output, 0)).isNotNegative();
        }
    }

    @Test
    void andLogitsCanBeAskedForByTurns() {
        try (TargetSession session = greedySession()) {
            int found = session.prefill(new int[] {1, 2}, 0, 2).token(1);
            session.truncate(0);
            session.expect(ExpectedOutput.LOGITS);
            PassOutput output = session.prefill(new int[] {1, 2}, 0, 2);
            assertThat(output.token(1)).isNegative();
            assertThat(argmax(output, 1)).isEqualTo(found);
        }
    }

    @Test
    void ofSeveralSessionsAreFoundTogetherUnlessOneWantsLogits() {
        // an F32 head is searched for more rows than a BF16 one: enough for a tree beside another session
        try (JlamaTarget wide =
                        JlamaTarget.of(TestModels.write(folder.resolve("f32"), SHAPE, Precision.F32), kernels, true);
                TargetSession first = greedySession(wide);
                TargetSession second = greedySession(wide);
                TargetSession third = wide.openSession(HiddenStateRequest.NONE)) {
            int[] prompt = Sessions.tokens(5, VOCABULARY, 3);
            first.prefill(prompt, 0, 3);
            TokenTree tree = tree(7, 3);
            int[] alone = tokens(first.verify(tree));
            second.prefill(prompt, 0, 4);
            int next = second.prefill(prompt, 4, 1).token(0);
            second.truncate(4);
            PassRequest verify = new PassRequest.Verify(first, tree);
            PassRequest prefill = new PassRequest.Prefill(second, prompt, 4, 1);
            List<PassOutput> together = wide.runTogether(List.of(verify, prefill));
            assertThat(tokens(together.getFirst())).isEqualTo(alone);
            assertThat(together.getLast().token(0)).isEqualTo(next);
            second.truncate(4);
            List<PassOutput> mixed = wide.runTogether(
                    List.of(verify, prefill, new PassRequest.Prefill(third, prompt, 0, prompt.length)));
            for (int row = 0; row < tree.size(); row++) {
                assertThat(mixed.get(0).token(row)).isNegative();
                assertThat(argmax(mixed.get(0), row)).isEqualTo(alone[row]);
            }
            assertThat(argmax(mixed.get(1), 0)).isEqualTo(next);
            assertThat(argmax(mixed.get(2), prompt.length - 1)).isEqualTo(next);
        }
    }

    private static int[] tokens(PassOutput output) {
        int[] tokens = new int[output.rows()];
        for (int row = 0; row < tokens.length; row++) {
            tokens[row] = output.token(row);
        }
        return tokens;
    }

    @Test
    void areNotSearchedInWeightsReadInPlaceOrInSmallHeads() {
        try (JlamaTarget inPlace = JlamaTarget.of(model, kernels, false);
                JlamaTarget small = JlamaTarget.of(
                        TestModels.tiny(folder.resolve("small"), "llama", Precision.BF16), kernels, true)) {
            assertThat(inPlace.findsTokens()).isFalse();
            assertThat(small.findsTokens()).isFalse();
            assertThat(target.ownBytes()).isGreaterThan((long) VOCABULARY * 128 * 3);
        }
    }
}
