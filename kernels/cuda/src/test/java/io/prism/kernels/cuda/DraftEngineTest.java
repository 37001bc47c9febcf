package io.prism.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;
import static org.assertj.core.api.Assertions.within;

import io.prism.kernels.Activation;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.DraftEngine;
import io.prism.kernels.DraftEngineSession;
import io.prism.kernels.DraftRound;
import io.prism.kernels.Precision;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole rounds on the emulated device against the scalar reference. */
class DraftEngineTest {
    /** Single precision through up to five chained layers, and activations of tensor cores rounded to 16 bits. */
    private static final double TOLERANCE = 1e-3;

    /** Between choosing the beam and choosing the tree. */
    private static final int KERNELS_OF_A_STEP = 12;

    private static final AttentionShape SMALL = new AttentionShape(4, 2, 16, 0.25f, 0);
    private static final AttentionShape ODD = new AttentionShape(6, 2, 10, 0.3f, 4);

    @BeforeEach
    void useFakeDriver() {
        FakeCuda.use();
        FakeCuda.failAt(-1, 0);
        FakeCuda.setCapability(80);
    }

    @AfterEach
    void nothingIsLeftAndNothingWasMisused() {
        assertThat(FakeCuda.complaint()).isEmpty();
        assertThat(FakeCuda.live()).isZero();
    }

    private static TestDraft.Shape shape(Precision precision, boolean normedPair, AttentionShape attention, int tokens) {
        boolean quantized = precision.isQuantized();
        int hidden = quantized ? 64 : 50;
        return new TestDraft.Shape(
                precision,
                hidden,
                quantized ? 96 : 70,
                attention,
                tokens,
                normedPair ? 3 * hidden : hidden,
                normedPair,
                !normedPair,
                normedPair ? Activation.GELU_TANH : Activation.SILU,
                normedPair ? 5 : 0,
                normedPair ? List.of(0) : List.of(0, 1));
    }

    static Stream<Arguments> drafts() {
        return Stream.of(
                Arguments.of("F32, before tensor cores", shape(Precision.F32, false, ODD, 61), 75, 5, 3),
                Arguments.of("BF16, before tensor cores", shape(Precision.BF16, false, SMALL, 61), 75, 3, 10),
                Arguments.of("BF16", shape(Precision.BF16, false, ODD, 200), 80, 4, 10),
                Arguments.of("BF16, normed pair", shape(Precision.BF16, true, SMALL, 61), 90, 4, 4),
                Arguments.of("I8", shape(Precision.I8, false, SMALL, 61), 80, 3, 9),
                Arguments.of("Q4", shape(Precision.Q4, false, SMALL, 61), 89, 4, 9),
                Arguments.of("Q4, normed pair, wide", shape(Precision.Q4, true, SMALL, 33), 86, 2, 32));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("drafts")
    void aTreeHoldsTheReferencesNodesWithTheirProbabilities(
            String name, TestDraft.Shape shape, int capability, int steps, int topK) {
        FakeCuda.setCapability(capability);
        TestDraft draft = new TestDraft(shape, 3);
        TestDraft.Session reference = draft.new Session();
        Random random = new Random(5);
        DraftRound round = new DraftRound();
        try (DraftEngine engine = CudaDraftEngine.open(draft.weights);
                DraftEngineSession session = engine.openSession()) {
            for (int rows : new int[] {11, 1, 3, 64, 2, 5}) {
                int[] tokens = random.ints(rows, 0, shape.tokens()).toArray();
                float[] features = TestMatrix.vector(random, rows * shape.featureWidth(), 0);
                int length = reference.length();
                int nodes = 5 + rows % 7;
                boolean grows = rows != 64;
                List<TestDraft.Candidate> expected = reference.run(tokens, features, grows ? steps : 0, topK);
                session.run(length, embeddings(draft, tokens), features, 0, rows, grows ? steps : 0, topK, nodes, round);

                assertThat(round.isFinite()).isTrue();
                compareEntries(reference, length, rows, round);
                if (grows) {
                    compareTree(expected, round, nodes);
                } else {
                    assertThat(round.size()).isZero();
                }
            }
            assertThat(FakeCuda.replays()).isPositive();
        }
    }

    private static float[] embeddings(TestDraft draft, int[] tokens) {
        int hidden = draft.weights.hidden();
        float[] rows = new float[tokens.length * hidden];
        for (int row = 0; row < tokens.length; row++) {
            System.arraycopy(draft.embeddingOf(tokens[row]), 0, rows, row * hidden, hidden);
        }
        return rows;
    }

    private static void compareEntries(TestDraft.Session reference, int length, int rows, DraftRound round) {
        double error = 0;
        double size = 0;
        for (int row = 0; row < rows; row++) {
            double[] expected = reference.entry(length + row);
            for (int i = 0; i < expected.length; i++) {
                double difference = round.entries()[row * expected.length + i] - expected[i];
                error += difference * difference;
                size += expected[i] * expected[i];
            }
        }
        assertThat(error / size).as("normalised mean square error of keys and values").isLessThan(1e-9);
    }

    /** Candidates that nearly tie with the least of the tree may be swapped. */
    private static void compareTree(List<TestDraft.Candidate> expected, DraftRound round, int nodes) {
        Map<String, TestDraft.Candidate> byPath = new HashMap<>();
        List<String> paths = new ArrayList<>();
        for (TestDraft.Candidate candidate : expected) {
            String path = (candidate.parent() < 0 ? "" : paths.get(candidate.parent())) + " " + candidate.token();
            paths.add(path);
            byPath.put(path, candidate);
        }
        List<String> found = new ArrayList<>();
        for (int i = 0; i < round.size(); i++) {
            int parent = round.parent(i);
            assertThat(parent).isBetween(0, i);
            String path = (parent == 0 ? "" : found.get(parent - 1)) + " " + round.token(i);
            found.add(path);
            assertThat(byPath).containsKey(path);
            assertThat((double) round.logProbability(i))
                    .isCloseTo(byPath.get(path).log(), within(TOLERANCE));
        }
        assertThat(found).doesNotHaveDuplicates();
        List<String> best = TestDraft.best(expected, nodes);
        double least = best.stream().mapToDouble(path -> byPath.get(path).score()).min().orElseThrow();
        assertThat(found).hasSize(best.size());
        for (String path : found) {
            assertThat(byPath.get(path).score()).isGreaterThan(least - TOLERANCE);
        }
    }

    @Test
    void aRoundIsCapturedOnceForItsShapeAndReplayedForEverySession() {
        TestDraft draft = new TestDraft(shape(Precision.BF16, false, SMALL, 61), 3);
        float[] features = TestMatrix.vector(new Random(1), draft.weights.hidden(), 0);
        DraftRound round = new DraftRound();
        try (DraftEngine engine = CudaDraftEngine.open(draft.weights)) {
            long launches = 0;
            for (int session = 0; session < 2; session++) {
                try (DraftEngineSession open = engine.openSession()) {
                    for (int length = 0; length < 3; length++) {
                        long before = FakeCuda.launches();
                        open.run(length, draft.embeddingOf(length), features, 0, 1, 2, 3, 4 + length, round);
                        launches += FakeCuda.launches() - before;
                    }
                }
            }
            assertThat(launches).as("kernels started outside of a replay").isEqualTo(2 * KERNELS_OF_A_STEP + 2);
        }
    }

    @Test
    void entriesBehindTheLengthOfARoundAreForgotten() {
        TestDraft draft = new TestDraft(shape(Precision.F32, false, SMALL, 61), 4);
        TestDraft.Session reference = draft.new Session();
        Random random = new Random(2);
        int[] tokens = {1, 2, 3, 4};
        DraftRound round = new DraftRound();
        try (DraftEngine engine = CudaDraftEngine.open(draft.weights);
                DraftEngineSession session = engine.openSession()) {
            for (int length : new int[] {0, 4, 2, 3}) {
                float[] features = TestMatrix.vector(random, 4 * draft.weights.hidden(), 0);
                reference.truncate(length);
                List<TestDraft.Candidate> expected = reference.run(tokens, features, 3, 3);
                session.run(length, embeddings(draft, tokens), features, 0, 4, 3, 3, 6, round);
                compareTree(expected, round, 6);
            }
        }
    }

    @Test
    void aDistributionThatIsNaNIsReportedAndHarmsNoLaterRound() {
        TestDraft draft = new TestDraft(shape(Precision.BF16, false, SMALL, 61), 3);
        float[] features = TestMatrix.vector(new Random(1), draft.weights.hidden(), 0);
        float[] broken = features.clone();
        broken[7] = Float.NaN;
        DraftRound round = new DraftRound();
        try (DraftEngine engine = CudaDraftEngine.open(draft.weights);
                DraftEngineSession session = engine.openSession()) {
            session.run(0, draft.embeddingOf(1), broken, 0, 1, 3, 4, 8, round);
            assertThat(round.isFinite()).isFalse();
            session.run(0, draft.embeddingOf(1), features, 0, 1, 3, 4, 8, round);
            assertThat(round.isFinite()).isTrue();
            assertThat(round.size()).isEqualTo(8);
        }
    }

    @Test
    void weightsStayUntilTheLastSessionIsClosed() {
        TestDraft draft = new TestDraft(shape(Precision.BF16, false, SMALL, 61), 3);
        float[] features = TestMatrix.vector(new Random(1), draft.weights.hidden(), 0);
        DraftRound round = new DraftRound();
        DraftEngine engine = CudaDraftEngine.open(draft.weights);
        DraftEngineSession session = engine.openSession();
        engine.close();
        assertThatThrownBy(engine::openSession).isInstanceOf(IllegalStateException.class);
        session.run(0, draft.embeddingOf(1), features, 0, 1, 2, 2, 4, round);
        assertThat(round.size()).isEqualTo(4);
        session.close();
        assertThat(FakeCuda.live()).isZero();
    }

    /** What a user of the engine does, from opening to closing. */
    private static void use(TestDraft draft, float[] features) {
        DraftRound round = new DraftRound();
        try (DraftEngine engine = CudaDraftEngine.open(draft.weights);
                DraftEngineSession session = engine.openSession()) {
            session.run(0, draft.embeddingOf(1), features, 0, 1, 2, 2, 4, round);
            session.run(63, draft.embeddingOf(2), features, 0, 1, 2, 2, 4, round);
        }
    }

    @Test
    void whicheverCallFailsItIsNamedAndNothingIsLeaked() {
        TestDraft draft = new TestDraft(shape(Precision.BF16, true, SMALL, 33), 3);
        float[] features = TestMatrix.vector(new Random(1), draft.weights.featureWidth(), 0);
        long before = FakeCuda.calls();
        use(draft, features);
        long calls = FakeCuda.calls() - before;
        for (long call = 1; call <= calls; call++) {
            FakeCuda.failAt(call, FakeCuda.OUT_OF_MEMORY);
            try {
                use(draft, features);
                fail("call " + call + " failed unnoticed");
            } catch (IllegalStateException e) {
                assertThat(e).hasMessageMatching("cu\\w+\\(.*\\) failed: CUDA_ERROR_OUT_OF_MEMORY \\(out of memory\\)");
            }
            FakeCuda.failAt(-1, 0);
            assertThat(FakeCuda.live()).as("call " + call).isZero();
        }
    }
}
