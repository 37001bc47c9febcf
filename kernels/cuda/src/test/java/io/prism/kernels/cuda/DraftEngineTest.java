package io.prism.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import io.prism.kernels.DraftEngine;
import io.prism.kernels.DraftEngineSession;
import io.prism.kernels.DraftRound;
import io.prism.kernels.DraftScoring;
import io.prism.kernels.Precision;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole rounds on the emulated device against the scalar reference. */
class DraftEngineTest {
    /** Between choosing the beam and choosing the tree. */
    private static final int KERNELS_OF_A_STEP = 12;

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

    static Stream<RoundCases.Case> rounds() {
        return RoundCases.all().stream();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("rounds")
    void aTreeHoldsTheReferencesNodesWithTheirProbabilities(RoundCases.Case one) {
        FakeCuda.setCapability(one.capability());
        long before = FakeCuda.replays();
        RoundCases.run(one);
        assertThat(FakeCuda.replays()).isGreaterThan(before);
    }

    @Test
    void aRoundIsCapturedOnceForItsShapeAndReplayedForEverySession() {
        TestDraft draft = new TestDraft(RoundCases.shape(Precision.BF16, false, RoundCases.SMALL, 61), 3);
        float[] features = TestMatrix.vector(new Random(1), draft.weights.hidden(), 0);
        DraftRound round = new DraftRound();
        try (DraftEngine engine = CudaDraftEngine.open(draft.weights)) {
            long launches = 0;
            for (int session = 0; session < 2; session++) {
                try (DraftEngineSession open = engine.openSession()) {
                    for (int length = 0; length < 3; length++) {
                        long before = FakeCuda.launches();
                        open.run(
                                length,
                                draft.embeddingOf(length),
                                features,
                                0,
                                1,
                                2,
                                3,
                                4 + length,
                                DraftScoring.PLAIN,
                                round);
                        launches += FakeCuda.launches() - before;
                    }
                }
            }
            assertThat(launches).as("kernels started outside of a replay").isEqualTo(2 * KERNELS_OF_A_STEP + 2);
        }
    }

    @Test
    void aReplayedRoundScoresAsItIsAskedThen() {
        TestDraft draft = new TestDraft(RoundCases.shape(Precision.BF16, true, RoundCases.SMALL, 33), 7);
        float[] features = TestMatrix.vector(new Random(5), draft.weights.featureWidth(), 0);
        List<DraftScoring> scorings = List.of(
                new DraftScoring(1.6f, 0.7f, new long[] {1, 2, 3}),
                DraftScoring.PLAIN,
                new DraftScoring(1.6f, 0.7f, new long[] {3, 2, 1}),
                new DraftScoring(1.6f, 1, new long[] {3, 2, 1}),
                new DraftScoring(1.6f));
        DraftRound round = new DraftRound();
        try (DraftEngine engine = CudaDraftEngine.open(draft.weights);
                DraftEngineSession session = engine.openSession()) {
            TestDraft.Session reference = draft.new Session();
            for (DraftScoring scoring : scorings) {
                reference.truncate(0);
                List<TestDraft.Candidate> expected = reference.run(new int[] {1}, features, 3, 4, scoring);
                session.run(0, draft.embeddingOf(1), features, 0, 1, 3, 4, 8, scoring, round);
                RoundCases.compareTree(expected, round, 8);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2, RoundBuffers.MOST_STEPS + 1})
    void noiseNeedsAKeyForEachStepAndNoMoreThanThereIsRoomFor(int keys) {
        TestDraft draft = new TestDraft(RoundCases.shape(Precision.BF16, true, RoundCases.SMALL, 33), 3);
        float[] features = TestMatrix.vector(new Random(1), draft.weights.featureWidth(), 0);
        DraftScoring scoring = new DraftScoring(1, 1, new long[keys]);
        DraftRound round = new DraftRound();
        try (DraftEngine engine = CudaDraftEngine.open(draft.weights);
                DraftEngineSession session = engine.openSession()) {
            assertThatThrownBy(() -> session.run(0, draft.embeddingOf(1), features, 0, 1, 3, 2, 4, scoring, round))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(keys + " keys of draws for a round of 3 steps");
        }
    }

    @Test
    void entriesBehindTheLengthOfARoundAreForgotten() {
        TestDraft draft = new TestDraft(RoundCases.shape(Precision.F32, false, RoundCases.SMALL, 61), 4);
        TestDraft.Session reference = draft.new Session();
        Random random = new Random(2);
        int[] tokens = {1, 2, 3, 4};
        DraftRound round = new DraftRound();
        try (DraftEngine engine = CudaDraftEngine.open(draft.weights);
                DraftEngineSession session = engine.openSession()) {
            for (int length : new int[] {0, 4, 2, 3}) {
                float[] features = TestMatrix.vector(random, 4 * draft.weights.hidden(), 0);
                reference.truncate(length);
                List<TestDraft.Candidate> expected = reference.run(tokens, features, 3, 3, DraftScoring.PLAIN);
                session.run(
                        length,
                        RoundCases.embeddings(draft, tokens),
                        features,
                        0,
                        4,
                        3,
                        3,
                        6,
                        DraftScoring.PLAIN,
                        round);
                RoundCases.compareTree(expected, round, 6);
            }
        }
    }

    @Test
    void aDistributionThatIsNaNIsReportedAndHarmsNoLaterRound() {
        TestDraft draft = new TestDraft(RoundCases.shape(Precision.BF16, false, RoundCases.SMALL, 61), 3);
        float[] features = TestMatrix.vector(new Random(1), draft.weights.hidden(), 0);
        float[] broken = features.clone();
        broken[7] = Float.NaN;
        DraftRound round = new DraftRound();
        try (DraftEngine engine = CudaDraftEngine.open(draft.weights);
                DraftEngineSession session = engine.openSession()) {
            session.run(0, draft.embeddingOf(1), broken, 0, 1, 3, 4, 8, DraftScoring.PLAIN, round);
            assertThat(round.isFinite()).isFalse();
            session.run(0, draft.embeddingOf(1), features, 0, 1, 3, 4, 8, DraftScoring.PLAIN, round);
            assertThat(round.isFinite()).isTrue();
            assertThat(round.size()).isEqualTo(8);
        }
    }

    @Test
    void weightsStayUntilTheLastSessionIsClosed() {
        TestDraft draft = new TestDraft(RoundCases.shape(Precision.BF16, false, RoundCases.SMALL, 61), 3);
        float[] features = TestMatrix.vector(new Random(1), draft.weights.hidden(), 0);
        DraftRound round = new DraftRound();
        DraftEngine engine = CudaDraftEngine.open(draft.weights);
        DraftEngineSession session = engine.openSession();
        engine.close();
        assertThatThrownBy(engine::openSession).isInstanceOf(IllegalStateException.class);
        session.run(0, draft.embeddingOf(1), features, 0, 1, 2, 2, 4, DraftScoring.PLAIN, round);
        assertThat(round.size()).isEqualTo(4);
        session.close();
        assertThat(FakeCuda.live()).isZero();
    }

    /** What a user of the engine does, from opening to closing. */
    private static void use(TestDraft draft, float[] features) {
        DraftRound round = new DraftRound();
        try (DraftEngine engine = CudaDraftEngine.open(draft.weights);
                DraftEngineSession session = engine.openSession()) {
            session.run(0, draft.embeddingOf(1), features, 0, 1, 2, 2, 4, DraftScoring.PLAIN, round);
            session.run(63, draft.embeddingOf(2), features, 0, 1, 2, 2, 4, DraftScoring.PLAIN, round);
        }
    }

    @Test
    void whicheverCallFailsItIsNamedAndNothingIsLeaked() {
        TestDraft draft = new TestDraft(RoundCases.shape(Precision.BF16, true, RoundCases.SMALL, 33), 3);
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
