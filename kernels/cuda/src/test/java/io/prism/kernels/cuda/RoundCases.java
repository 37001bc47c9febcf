package io.prism.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.prism.kernels.Activation;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.DraftEngine;
import io.prism.kernels.DraftEngineSession;
import io.prism.kernels.DraftRound;
import io.prism.kernels.DraftScoring;
import io.prism.kernels.Precision;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/** Whole rounds of random draft networks against the scalar reference, on the emulated device and on a GPU. */
final class RoundCases {
    /** Single precision through up to five chained layers, and activations of tensor cores in 16 bits. */
    static final double TOLERANCE = 1e-3;

    static final AttentionShape SMALL = new AttentionShape(4, 2, 16, 0.25f, 0);
    private static final AttentionShape ODD = new AttentionShape(6, 2, 10, 0.3f, 4);

    private RoundCases() {}

    /** @param capability of the emulated device; a GPU has its own */
    record Case(String name, TestDraft.Shape shape, int capability, int steps, int topK, DraftScoring scoring) {
        @Override
        public String toString() {
            return name;
        }
    }

    static List<Case> all() {
        return List.of(
                new Case("F32, no tensor cores", shape(Precision.F32, false, ODD, 61), 75, 5, 3, DraftScoring.PLAIN),
                new Case(
                        "BF16, no tensor cores",
                        shape(Precision.BF16, false, SMALL, 61),
                        75,
                        3,
                        10,
                        new DraftScoring(1.6f)),
                new Case("BF16", shape(Precision.BF16, false, ODD, 200), 80, 4, 10, drawn(1)),
                new Case("BF16, normed pair", shape(Precision.BF16, true, SMALL, 61), 90, 4, 4, drawn(0.7f)),
                new Case("I8", shape(Precision.I8, false, SMALL, 61), 80, 3, 9, DraftScoring.PLAIN),
                new Case("Q4", shape(Precision.Q4, false, SMALL, 61), 89, 4, 9, drawn(0.3f)),
                new Case(
                        "Q4, normed pair, wide",
                        shape(Precision.Q4, true, SMALL, 33),
                        86,
                        2,
                        32,
                        new DraftScoring(1.6f)));
    }

    /** Draws of a temperature with some keys. */
    private static DraftScoring drawn(float temperature) {
        long[] keys = new Random(17).longs(5).toArray();
        return new DraftScoring(1.3f, temperature, keys);
    }

    static TestDraft.Shape shape(Precision precision, boolean normedPair, AttentionShape attention, int tokens) {
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
                normedPair ? IntStream.range(0, tokens).map(i -> 1000 * i + 3).toArray() : null,
                normedPair ? List.of(0) : List.of(0, 1));
    }

    /** @throws AssertionError if a tree is not the reference's */
    static void run(Case one) {
        TestDraft draft = new TestDraft(one.shape, 3);
        TestDraft.Session reference = draft.new Session();
        Random random = new Random(5);
        DraftRound round = new DraftRound();
        try (DraftEngine engine = CudaDraftEngine.open(draft.weights);
                DraftEngineSession session = engine.openSession()) {
            for (int rows : new int[] {11, 1, 3, 64, 2, 5}) {
                int[] tokens = random.ints(rows, 0, one.shape.tokens()).toArray();
                float[] features = TestMatrix.vector(random, rows * one.shape.featureWidth(), 0);
                int length = reference.length();
                int nodes = 5 + rows % 7;
                int steps = rows == 64 ? 0 : one.steps;
                List<TestDraft.Candidate> expected = reference.run(tokens, features, steps, one.topK, one.scoring);
                session.run(
                        length,
                        embeddings(draft, tokens),
                        features,
                        0,
                        rows,
                        steps,
                        one.topK,
                        nodes,
                        one.scoring,
                        round);

                assertThat(round.isFinite()).isTrue();
                compareEntries(reference, length, rows, round);
                if (steps > 0) {
                    compareTree(expected, round, nodes);
                } else {
                    assertThat(round.size()).isZero();
                }
            }
        }
    }

    static float[] embeddings(TestDraft draft, int[] tokens) {
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
        assertThat(error / size)
                .as("normalised mean square error of keys and values")
                .isLessThan(KernelCases.MOST_ERROR);
    }

    /** Candidates that nearly tie with the least of the tree may be swapped. */
    static void compareTree(List<TestDraft.Candidate> expected, DraftRound round, int nodes) {
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
        double least = best.stream()
                .mapToDouble(path -> byPath.get(path).score())
                .min()
                .orElseThrow();
        assertThat(found).hasSize(best.size());
        for (String path : found) {
            assertThat(byPath.get(path).score()).isGreaterThan(least - TOLERANCE);
        }
    }
}
