package io.prism.drafter.prism;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.prism.drafter.checkpoint.CheckpointWriter;
import io.prism.drafter.checkpoint.DrafterConfig;
import io.prism.drafter.checkpoint.LayerKind;
import io.prism.drafter.format.StoredTensor;
import io.prism.kernels.KernelSelection;
import io.prism.kernels.Kernels;
import io.prism.spi.DraftRequest;
import io.prism.spi.DraftSession;
import io.prism.spi.Drafter;
import io.prism.spi.PassOutput;
import io.prism.spi.TargetSession;
import io.prism.testing.LendingTarget;
import io.prism.testing.RandomDrafts;
import io.prism.tree.DraftBudget;
import io.prism.tree.TokenTree;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class PrismDrafterTest {
    /** Float sums of at most 192 terms against double ones, through up to six chained layers. */
    private static final double TOLERANCE = 2e-4;

    private static final int[] SOME_TOKENS = {5, 80, 3, 41, 17, 60, 22, 90, 71, 8, 33, 54};

    @TempDir
    Path folder;

    private Kernels kernels;
    private LendingTarget target;

    @BeforeEach
    void open() {
        open("scalar");
    }

    private void open(String kernelsName) {
        kernels = KernelSelection.select(kernelsName, getClass().getClassLoader())
                .provider()
                .open(2);
        target = new LendingTarget(kernels, 7, true);
    }

    @AfterEach
    void close() {
        target.close();
        kernels.close();
    }

    static Stream<Arguments> drafters() {
        return Stream.of(
                Arguments.of("one module (EAGLE-2, HASS)", LayerKind.FUSION, List.of(0), List.of(), true, null),
                Arguments.of("PRISM of two modules", LayerKind.FUSION, List.of(0, 1), List.of(), false, null),
                Arguments.of("PRISM of three modules", LayerKind.FUSION, List.of(1, 0, 2, 0), List.of(), true, null),
                Arguments.of("PRISM*", LayerKind.FUSION, List.of(0, 1), List.of(0, 2, 5), true, null),
                Arguments.of("reduced vocabulary", LayerKind.FUSION, List.of(0, 1), List.of(), true, SOME_TOKENS),
                Arguments.of("EAGLE-3", LayerKind.EAGLE3, List.of(0), List.of(1, 2, 4), false, SOME_TOKENS));
    }

    /** One case: what they compute is tested with them, and the JVM needs its time to compile them. */
    @Test
    void theVectorKernelsGiveTheSameProbabilities() {
        close();
        open("vector");
        everyNodeOfATreeHasTheProbabilityThatThePlainSequentialModelGivesIt(
                "PRISM* of three modules", LayerKind.FUSION, List.of(1, 0, 2, 0), List.of(0, 2, 5), true, SOME_TOKENS);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("drafters")
    void everyNodeOfATreeHasTheProbabilityThatThePlainSequentialModelGivesIt(
            String name, LayerKind kind, List<Integer> steps, List<Integer> layers, boolean bias, int[] vocabulary) {
        Case drafted = write(kind, steps, layers, bias, vocabulary);
        Random random = new Random(3);
        int[] text =
                random.ints(LendingTarget.CONTEXT, 0, LendingTarget.VOCABULARY).toArray();
        DraftBudget budget = new DraftBudget(5, 3, 12);
        TokenTree tree = new TokenTree(0);
        try (Drafter drafter = new PrismDrafterProvider().open(folder, target);
                TargetSession session = target.openSession(drafter.hiddenStates());
                DraftSession drafts = drafter.openSession()) {
            int length = 0;
            for (int count : new int[] {11, 1, 3, 2, 5}) {
                accept(drafts, session.prefill(text, length, count), text, length, count);
                length += count;
                int root = text[length];
                tree.reset(root);
                drafts.propose(tree, budget);
                check(drafted.reference, tree, text, length);
                assertThat(nodes(tree))
                        .isEqualTo(expectedNodes(drafted.reference, vocabulary, text, length, root, budget));
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("drafters")
    void proposalsMadeTogetherAreBitForBitThoseMadeAlone(
            String name, LayerKind kind, List<Integer> steps, List<Integer> layers, boolean bias, int[] vocabulary) {
        write(kind, steps, layers, bias, vocabulary);
        Random random = new Random(8);
        int[] text = random.ints(LendingTarget.CONTEXT, 0, LendingTarget.VOCABULARY - 1)
                .toArray();
        int[] lengths = {1, 40, 7, 16};
        DraftBudget[] budgets = {
            new DraftBudget(5, 3, 12), new DraftBudget(1, 2, 2), new DraftBudget(4, 1, 4), new DraftBudget(6, 4, 20)
        };
        try (Drafter drafter = new PrismDrafterProvider().open(folder, target)) {
            List<DraftSession> alone = new ArrayList<>();
            List<DraftSession> joint = new ArrayList<>();
            for (int length : lengths) {
                try (TargetSession session = target.openSession(drafter.hiddenStates())) {
                    PassOutput output = session.prefill(text, 0, length);
                    alone.add(drafter.openSession());
                    joint.add(drafter.openSession());
                    accept(alone.getLast(), output, text, 0, length);
                    accept(joint.getLast(), output, text, 0, length);
                }
            }
            assertThat(drafter.proposesTogether()).isTrue();
            for (int round = 0; round < 2; round++) { // the second proposes again after the same text
                List<DraftRequest> requests = new ArrayList<>();
                for (int i = 0; i < lengths.length; i++) {
                    requests.add(new DraftRequest(joint.get(i), new TokenTree(text[lengths[i]] + round), budgets[i]));
                }
                drafter.proposeTogether(requests);
                for (int i = 0; i < lengths.length; i++) {
                    TokenTree expected = new TokenTree(text[lengths[i]] + round);
                    alone.get(i).propose(expected, budgets[i]);
                    TokenTree tree = requests.get(i).tree();
                    assertThat(tree.size()).isEqualTo(expected.size()).isGreaterThan(1);
                    for (int node = 1; node < tree.size(); node++) {
                        assertThat(tree.token(node)).isEqualTo(expected.token(node));
                        assertThat(tree.parent(node)).isEqualTo(expected.parent(node));
                        assertThat(tree.logProbability(node)).isEqualTo(expected.logProbability(node));
                    }
                }
            }
            alone.forEach(DraftSession::close);
            joint.forEach(DraftSession::close);
        }
    }

    @Test
    void aTruncatedHistoryIsForgottenAndDraftingGoesOnAfterTheNextTokens() {
        Case drafted = write(LayerKind.FUSION, List.of(0, 1), List.of(), true, null);
        Random random = new Random(4);
        int[] text = random.ints(64, 0, LendingTarget.VOCABULARY).toArray();
        int[] other = text.clone();
        other[9] = (other[9] + 1) % LendingTarget.VOCABULARY;
        TokenTree tree = new TokenTree(0);
        try (Drafter drafter = new PrismDrafterProvider().open(folder, target);
                TargetSession session = target.openSession(drafter.hiddenStates());
                DraftSession drafts = drafter.openSession()) {
            accept(drafts, session.prefill(text, 0, 20), text, 0, 20);
            tree.reset(text[20]);
            drafts.propose(tree, new DraftBudget(3, 2, 4));
            session.truncate(9);
            drafts.truncate(9);
            tree.reset(text[9]);
            drafts.propose(tree, new DraftBudget(3, 2, 4));
            assertThat(tree.size()).as("the state before the cut is gone").isEqualTo(1);

            accept(drafts, session.prefill(text, 9, 6), text, 9, 6);
            tree.reset(text[15]);
            drafts.propose(tree, new DraftBudget(3, 2, 4));
            check(drafted.reference, tree, text, 15);
        }
    }

    @Test
    void proposingAgainAfterTheSameTextGivesWhatTheNewRootCallsFor() {
        Case drafted = write(LayerKind.FUSION, List.of(0, 1), List.of(), true, null);
        int[] text = new Random(5).ints(64, 0, LendingTarget.VOCABULARY).toArray();
        TokenTree tree = new TokenTree(0);
        try (Drafter drafter = new PrismDrafterProvider().open(folder, target);
                TargetSession session = target.openSession(drafter.hiddenStates());
                DraftSession drafts = drafter.openSession()) {
            accept(drafts, session.prefill(text, 0, 10), text, 0, 10);
            for (int root : new int[] {1, 2}) {
                tree.reset(root);
                drafts.propose(tree, new DraftBudget(3, 2, 4));
                check(drafted.reference, tree, text, 10);
            }
        }
    }

    @Test
    void aPromptLongerThanWhatMayWaitIsExtendedInParts() {
        Case drafted = write(LayerKind.FUSION, List.of(0, 1), List.of(), true, null);
        int[] text = new Random(6)
                .ints(LendingTarget.CONTEXT, 0, LendingTarget.VOCABULARY)
                .toArray();
        TokenTree tree = new TokenTree(0);
        int length = LendingTarget.CONTEXT - 20;
        try (Drafter drafter = new PrismDrafterProvider().open(folder, target);
                TargetSession session = target.openSession(drafter.hiddenStates());
                DraftSession drafts = drafter.openSession()) {
            accept(drafts, session.prefill(text, 0, length), text, 0, length);
            tree.reset(text[length]);
            drafts.propose(tree, new DraftBudget(3, 2, 4));
            check(drafted.reference, tree, text, length);
        }
    }

    @Test
    void draftingEndsWhereTheContextEnds() {
        write(LayerKind.FUSION, List.of(0, 1), List.of(), true, null);
        int[] text = new Random(6)
                .ints(LendingTarget.CONTEXT, 0, LendingTarget.VOCABULARY)
                .toArray();
        TokenTree tree = new TokenTree(0);
        try (Drafter drafter = new PrismDrafterProvider().open(folder, target);
                TargetSession session = target.openSession(drafter.hiddenStates());
                DraftSession drafts = drafter.openSession()) {
            int length = LendingTarget.CONTEXT - 2;
            accept(drafts, session.prefill(text, 0, length), text, 0, length);
            for (int more = 0; more < 2; more++) {
                tree.reset(1);
                drafts.propose(tree, new DraftBudget(8, 2, 20));
                int deepest =
                        IntStream.range(0, tree.size()).map(tree::depth).max().orElseThrow();
                assertThat(deepest).isEqualTo(3 - more);
                accept(drafts, session.prefill(text, length, 1), text, length, 1);
                length++;
            }
            tree.reset(1);
            drafts.propose(tree, new DraftBudget(8, 2, 20));
            assertThat(tree.size()).isEqualTo(3);
        }
    }

    private record Case(ReferenceDrafter reference) {}

    private Case write(LayerKind kind, List<Integer> steps, List<Integer> layers, boolean bias, int[] vocabulary) {
        DrafterConfig config = RandomDrafts.config(kind, steps, bias, layers);
        Map<String, StoredTensor> tensors = RandomDrafts.tensors(config, 11, vocabulary);
        CheckpointWriter.write(folder, config, tensors, Map.of());
        return new Case(new ReferenceDrafter(target, config, tensors));
    }

    private static void accept(DraftSession drafts, PassOutput output, int[] text, int from, int count) {
        int[] tokens = new int[count];
        System.arraycopy(text, from, tokens, 0, count);
        drafts.accept(tokens, IntStream.range(0, count).toArray(), count, output);
    }

    private static int[] path(TokenTree tree, int node) {
        int[] path = new int[tree.depth(node) + 1];
        for (int up = node; up >= 0; up = tree.parent(up)) {
            path[tree.depth(up)] = tree.token(up);
        }
        return path;
    }

    private static void check(ReferenceDrafter reference, TokenTree tree, int[] text, int length) {
        assertThat(tree.size()).isGreaterThan(1);
        for (int node = 1; node < tree.size(); node++) {
            double[] expected = reference.logProbabilities(text, length, path(tree, tree.parent(node)));
            int drafted = reference.draftToken(tree.token(node));
            assertThat((double) tree.logProbability(node)).isCloseTo(expected[drafted], within(TOLERANCE));
        }
    }

    private static Set<String> nodes(TokenTree tree) {
        Set<String> nodes = new TreeSet<>();
        for (int node = 1; node < tree.size(); node++) {
            nodes.add(Arrays.toString(path(tree, node)));
        }
        return nodes;
    }

    /** EAGLE-2's tree without any shortcut: all candidates of all levels, then the best. */
    private static Set<String> expectedNodes(
            ReferenceDrafter reference, int[] vocabulary, int[] text, int length, int root, DraftBudget budget) {
        record Node(int[] path, double score) {}
        List<Node> all = new ArrayList<>();
        List<Node> beam = List.of(new Node(new int[] {root}, 0));
        for (int step = 0; step < budget.steps(); step++) {
            List<Node> level = new ArrayList<>();
            for (Node parent : beam) {
                double[] logs = reference.logProbabilities(text, length, parent.path);
                IntStream.range(0, logs.length)
                        .boxed()
                        .sorted(Comparator.comparingDouble(i -> -logs[i]))
                        .limit(budget.topK())
                        .forEach(i -> {
                            int[] path = Arrays.copyOf(parent.path, parent.path.length + 1);
                            path[parent.path.length] = vocabulary == null ? i : vocabulary[i];
                            level.add(new Node(path, parent.score + logs[i]));
                        });
            }
            all.addAll(level);
            level.sort(Comparator.comparingDouble(node -> -node.score));
            beam = level.subList(0, Math.min(budget.topK(), level.size()));
        }
        all.sort(Comparator.comparingDouble(node -> -node.score));
        Set<String> nodes = new TreeSet<>();
        all.subList(0, budget.nodes()).forEach(node -> nodes.add(Arrays.toString(node.path)));
        return nodes;
    }
}
