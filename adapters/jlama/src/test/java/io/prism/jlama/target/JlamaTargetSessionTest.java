package io.prism.jlama.target;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.tjake.jlama.model.AbstractModel;
import com.sun.management.ThreadMXBean;
import io.prism.jlama.synthetic.SyntheticShape;
import io.prism.jlama.testing.Sessions;
import io.prism.jlama.testing.TestModels;
import io.prism.kernels.Kernels;
import io.prism.kernels.Precision;
import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import io.prism.spi.PassRequest;
import io.prism.spi.PrismException;
import io.prism.spi.TargetSession;
import io.prism.tree.TokenTree;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JlamaTargetSessionTest {
    private static final int VOCABULARY = 512;
    private static final int CONTEXT = 320;
    private static final int[] ROOT = {0};

    /** What asking for the allocated bytes may allocate itself; less than a byte for each pass measured. */
    private static final long MEASURING_BYTES = 40;

    @TempDir
    static Path folder;

    private static Kernels kernels;
    private static AbstractModel model;
    private static JlamaTarget target;

    @BeforeAll
    static void load() {
        kernels = TestModels.kernels("auto");
        model = TestModels.write(
                folder, new SyntheticShape("llama", 128, 256, 3, 4, 2, VOCABULARY, CONTEXT, true), Precision.BF16);
        target = JlamaTarget.of(model, kernels, true);
    }

    @AfterAll
    static void close() {
        target.close();
        kernels.close();
    }

    private static TargetSession session() {
        return target.openSession(HiddenStateRequest.NONE);
    }

    @Test
    void aPromptInBatchesGivesBitForBitWhatSingleTokensGive() {
        int[] tokens = Sessions.tokens(CONTEXT, VOCABULARY, 1);
        float[][] plain = Sessions.plain(target, tokens);
        for (int prompt : new int[] {1, 2, 7, 64, JlamaTarget.MAX_ROWS, JlamaTarget.MAX_ROWS + 1, CONTEXT - 1}) {
            try (TargetSession session = session()) {
                PassOutput output = session.prefill(tokens, 0, prompt);
                assertThat(Sessions.logits(output, prompt - 1, VOCABULARY))
                        .as("after %d tokens", prompt)
                        .isEqualTo(plain[prompt - 1]);
                assertThat(Sessions.logits(session.prefill(tokens, prompt, 1), 0, VOCABULARY))
                        .as("the token after %d", prompt)
                        .isEqualTo(plain[prompt]);
            }
        }
    }

    @Test
    void keepingHiddenStatesDoesNotChangeLogits() {
        int[] tokens = Sessions.tokens(20, VOCABULARY, 2);
        float[][] plain = Sessions.plain(target, tokens);
        try (TargetSession session = target.openSession(new HiddenStateRequest(true, List.of(0, 2)))) {
            PassOutput output = session.prefill(tokens, 0, 20);
            assertThat(output.rows()).isEqualTo(20);
            assertThat(Sessions.logits(output, 19, VOCABULARY)).isEqualTo(plain[19]);
        }
    }

    @Test
    void hiddenStatesOfAPromptCoverAllBatches() {
        int[] tokens = Sessions.tokens(JlamaTarget.MAX_ROWS + 5, VOCABULARY, 2);
        try (TargetSession whole = target.openSession(new HiddenStateRequest(true, List.of(1)));
                TargetSession single = target.openSession(new HiddenStateRequest(true, List.of(1)))) {
            PassOutput all = whole.prefill(tokens, 0, tokens.length);
            for (int i = 0; i < tokens.length; i++) {
                PassOutput one = single.prefill(tokens, i, 1);
                assertThat(Arrays.copyOfRange(all.hiddenStates(), i * 128, (i + 1) * 128))
                        .isEqualTo(Arrays.copyOf(one.hiddenStates(), 128));
                assertThat(Arrays.copyOfRange(all.layerStates(0), i * 128, (i + 1) * 128))
                        .isEqualTo(Arrays.copyOf(one.layerStates(0), 128));
            }
        }
    }

    /** Branches at several depths; node 6 continues node 4, whose siblings lie between them. */
    private static TokenTree tree() {
        TokenTree tree = new TokenTree(11);
        int a = tree.add(0, 21, -0.5f);
        int b = tree.add(0, 22, -0.7f);
        tree.add(a, 31, -0.9f);
        int d = tree.add(b, 32, -1f);
        tree.add(b, 33, -1.1f);
        int f = tree.add(d, 41, -1.2f);
        tree.add(f, 51, -1.3f);
        return tree;
    }

    private static int[] path(TokenTree tree, int node) {
        int[] path = new int[tree.depth(node) + 1];
        for (int at = node; at >= 0; at = tree.parent(at)) {
            path[tree.depth(at)] = at;
        }
        return path;
    }

    private static int[] concatenated(int[] prompt, TokenTree tree, int[] path) {
        int[] tokens = Arrays.copyOf(prompt, prompt.length + path.length);
        for (int i = 0; i < path.length; i++) {
            tokens[prompt.length + i] = tree.token(path[i]);
        }
        return tokens;
    }

    @Test
    void everyNodeOfATreeGivesBitForBitWhatPlainDecodingOfItsPathGives() {
        int[] prompt = Sessions.tokens(61, VOCABULARY, 3);
        TokenTree tree = tree();
        try (TargetSession session = session()) {
            session.prefill(prompt, 0, prompt.length);
            PassOutput output = session.verify(tree);
            assertThat(output.rows()).isEqualTo(tree.size());
            assertThat(session.length()).isEqualTo(prompt.length);
            for (int node = 0; node < tree.size(); node++) {
                float[][] plain = Sessions.plain(target, concatenated(prompt, tree, path(tree, node)));
                assertThat(Sessions.logits(output, node, VOCABULARY))
                        .as("node %d", node)
                        .isEqualTo(plain[plain.length - 1]);
            }
        }
    }

    @Test
    void afterCommittingAPathDecodingGoesOnAsIfItHadBeenPlain() {
        int[] prompt = Sessions.tokens(61, VOCABULARY, 4);
        TokenTree tree = tree();
        int[] path = path(tree, 6);
        int[] tokens = concatenated(concatenated(prompt, tree, path), new TokenTree(99), new int[] {0});
        float[][] plain = Sessions.plain(target, tokens);
        try (TargetSession session = session()) {
            session.prefill(prompt, 0, prompt.length);
            session.verify(tree);
            session.commit(path, path.length);
            assertThat(session.length()).isEqualTo(prompt.length + path.length);
            PassOutput next = session.verify(new TokenTree(99));
            assertThat(Sessions.logits(next, 0, VOCABULARY)).isEqualTo(plain[plain.length - 1]);
        }
    }

    @Test
    void aPartOfAPathCanBeCommitted() {
        int[] prompt = Sessions.tokens(5, VOCABULARY, 5);
        TokenTree tree = tree();
        int[] path = path(tree, 7);
        int[] tokens =
                concatenated(concatenated(prompt, tree, Arrays.copyOf(path, 2)), new TokenTree(98), new int[] {0});
        float[][] plain = Sessions.plain(target, tokens);
        try (TargetSession session = session()) {
            session.prefill(prompt, 0, prompt.length);
            session.verify(tree);
            session.commit(path, 2);
            assertThat(Sessions.logits(session.prefill(new int[] {98}, 0, 1), 0, VOCABULARY))
                    .isEqualTo(plain[plain.length - 1]);
        }
    }

    @Test
    void truncatedTokensAreForgotten() {
        int[] tokens = Sessions.tokens(90, VOCABULARY, 6);
        float[][] plain = Sessions.plain(target, tokens);
        try (TargetSession session = session()) {
            session.prefill(Sessions.tokens(80, VOCABULARY, 7), 0, 80);
            session.truncate(0);
            session.prefill(tokens, 0, 70);
            session.prefill(Sessions.tokens(9, VOCABULARY, 8), 0, 9);
            session.truncate(70);
            assertThat(session.length()).isEqualTo(70);
            PassOutput output = session.prefill(tokens, 70, 20);
            assertThat(Sessions.logits(output, 19, VOCABULARY)).isEqualTo(plain[89]);
        }
    }

    @Test
    void theWholeContextCanBeUsedAndNoMore() {
        int[] tokens = Sessions.tokens(CONTEXT, VOCABULARY, 9);
        try (TargetSession session = session()) {
            session.prefill(tokens, 0, CONTEXT - 1);
            TokenTree siblings = new TokenTree(tokens[CONTEXT - 1]);
            session.verify(siblings);
            siblings.add(0, 5, -1);
            assertThatThrownBy(() -> session.verify(siblings))
                    .isInstanceOf(PrismException.class)
                    .hasMessageContaining("320");
            PassOutput output = session.prefill(tokens, CONTEXT - 1, 1);
            for (float logit : Sessions.logits(output, 0, VOCABULARY)) {
                assertThat(logit).isFinite();
            }
            assertThat(session.length()).isEqualTo(session.capacity()).isEqualTo(CONTEXT);
            assertThatThrownBy(() -> session.prefill(tokens, 0, 1))
                    .isInstanceOf(PrismException.class)
                    .hasMessageContaining("context is 320 tokens");
        }
    }

    @Test
    void aWideTreeFitsAtTheEndOfTheContext() {
        int[] tokens = Sessions.tokens(CONTEXT - 2, VOCABULARY, 10);
        try (TargetSession session = session()) {
            session.prefill(tokens, 0, tokens.length);
            TokenTree tree = new TokenTree(1);
            for (int i = 0; i < 40; i++) {
                tree.add(0, i, -1);
            }
            PassOutput output = session.verify(tree);
            int[] plain = concatenated(tokens, tree, new int[] {0, 33});
            assertThat(Sessions.logits(output, 33, VOCABULARY)).isEqualTo(Sessions.plain(target, plain)[CONTEXT - 1]);
        }
    }

    @Test
    void failedCallsLeaveTheCommittedTokensAsTheyWere() {
        int[] tokens = Sessions.tokens(30, VOCABULARY, 11);
        float[][] plain = Sessions.plain(target, tokens);
        try (TargetSession session = session()) {
            session.prefill(tokens, 0, 29);
            assertThatThrownBy(() -> session.prefill(new int[] {3, VOCABULARY}, 0, 2))
                    .isInstanceOf(PrismException.class)
                    .hasMessageContaining("Token 512");
            assertThatThrownBy(() -> session.verify(new TokenTree(-1)))
                    .isInstanceOf(PrismException.class)
                    .hasMessageContaining("Token -1");
            assertThatThrownBy(() -> session.prefill(new int[CONTEXT], 0, CONTEXT))
                    .isInstanceOf(PrismException.class);
            assertThatThrownBy(() -> session.prefill(tokens, 0, 0)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> session.commit(new int[] {0}, 1)).isInstanceOf(IllegalStateException.class);
            session.verify(tree());
            assertThatThrownBy(() -> session.commit(new int[] {0, 1, 4}, 3))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("not a child");
            assertThatThrownBy(() -> session.commit(new int[] {1}, 1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> session.truncate(31)).isInstanceOf(IllegalArgumentException.class);
            assertThat(session.length()).isEqualTo(29);
            assertThat(Sessions.logits(session.prefill(tokens, 29, 1), 0, VOCABULARY))
                    .isEqualTo(plain[29]);
        }
    }

    @Test
    void aTreeOfTooManyNodesIsRefused() {
        TokenTree tree = new TokenTree(1);
        for (int i = 0; i < JlamaTarget.MAX_ROWS; i++) {
            tree.add(0, i % VOCABULARY, -1);
        }
        try (TargetSession session = session()) {
            assertThatThrownBy(() -> session.verify(tree))
                    .isInstanceOf(PrismException.class)
                    .hasMessageContaining("257 nodes")
                    .hasMessageContaining("256");
        }
    }

    @Test
    void aPromptHasLogitsOfItsLastRowOnlyAndNoStatesUnasked() {
        try (TargetSession session = session()) {
            PassOutput output = session.prefill(new int[] {1, 2, 3}, 0, 3);
            assertThat(output.logitsOffset(2)).isZero();
            assertThatThrownBy(() -> output.logitsOffset(1)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(output::hiddenStates).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> output.layerStates(0)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void aClosedSessionRefusesWork() {
        TargetSession session = session();
        session.prefill(new int[] {1}, 0, 1);
        assertThat(session.kvBytes()).isPositive();
        session.close();
        assertThatThrownBy(() -> session.prefill(new int[] {1}, 0, 1)).isInstanceOf(IllegalStateException.class);
    }

    /** Prompts and trees of sessions that keep different states, so that some need the whole last layer and some do not. */
    @Test
    void aPassOfSeveralSessionsGivesBitForBitWhatTheirOwnPassesGive() {
        List<HiddenStateRequest> states = List.of(
                HiddenStateRequest.NONE,
                new HiddenStateRequest(false, List.of(1)),
                HiddenStateRequest.NONE,
                new HiddenStateRequest(true, List.of(0, 2)));
        for (int kept : new int[] {2, 3, 4}) {
            List<TargetSession> joint = new ArrayList<>();
            List<TargetSession> alone = new ArrayList<>();
            List<PassRequest> requests = new ArrayList<>();
            List<PassOutput> expected = new ArrayList<>();
            for (int i = 0; i < kept; i++) {
                int[] prompt = Sessions.tokens(40 + 9 * i, VOCABULARY, 30 + i);
                joint.add(target.openSession(states.get(i)));
                alone.add(target.openSession(states.get(i)));
                for (TargetSession session : List.of(joint.get(i), alone.get(i))) {
                    session.prefill(prompt, 0, 21 + i);
                }
                if (i % 2 == 0) {
                    requests.add(new PassRequest.Prefill(joint.get(i), prompt, 21 + i, 7 + i));
                    expected.add(alone.get(i).prefill(prompt, 21 + i, 7 + i));
                } else {
                    requests.add(new PassRequest.Verify(joint.get(i), tree()));
                    expected.add(alone.get(i).verify(tree()));
                }
            }
            List<PassOutput> outputs = target.runTogether(requests);
            for (int i = 0; i < kept; i++) {
                assertSame(outputs.get(i), expected.get(i), states.get(i), i % 2 == 0);
                for (TargetSession session : List.of(joint.get(i), alone.get(i))) {
                    if (i % 2 == 1) {
                        session.commit(path(tree(), 6), 3);
                    }
                }
                assertThat(joint.get(i).length()).isEqualTo(alone.get(i).length());
                assertThat(Sessions.logits(joint.get(i).prefill(new int[] {5}, 0, 1), 0, VOCABULARY))
                        .isEqualTo(Sessions.logits(alone.get(i).prefill(new int[] {5}, 0, 1), 0, VOCABULARY));
            }
            joint.forEach(TargetSession::close);
            alone.forEach(TargetSession::close);
        }
    }

    private static void assertSame(PassOutput output, PassOutput expected, HiddenStateRequest states, boolean prompt) {
        assertThat(output.rows()).isEqualTo(expected.rows());
        for (int row = prompt ? output.rows() - 1 : 0; row < output.rows(); row++) {
            assertThat(Sessions.logits(output, row, VOCABULARY)).isEqualTo(Sessions.logits(expected, row, VOCABULARY));
        }
        int length = output.rows() * 128;
        if (states.afterFinalNorm()) {
            assertThat(Arrays.copyOf(output.hiddenStates(), length))
                    .isEqualTo(Arrays.copyOf(expected.hiddenStates(), length));
        }
        for (int i = 0; i < states.layers().size(); i++) {
            assertThat(Arrays.copyOf(output.layerStates(i), length))
                    .isEqualTo(Arrays.copyOf(expected.layerStates(i), length));
        }
    }

    @Test
    void aPassOfSeveralSessionsThatCanNotBeDoneLeavesAllOfThemAsTheyWere() {
        int[] tokens = Sessions.tokens(30, VOCABULARY, 40);
        float[][] plain = Sessions.plain(target, tokens);
        try (TargetSession good = session();
                TargetSession bad = session();
                JlamaTarget other = JlamaTarget.of(model, kernels, true);
                TargetSession foreign = other.openSession(HiddenStateRequest.NONE)) {
            good.prefill(tokens, 0, 20);
            bad.prefill(tokens, 0, 20);
            PassRequest request = new PassRequest.Prefill(good, tokens, 20, 5);
            assertThatThrownBy(() -> target.runTogether(
                            List.of(request, new PassRequest.Prefill(bad, new int[] {VOCABULARY}, 0, 1))))
                    .isInstanceOf(PrismException.class)
                    .hasMessageContaining("Token 512");
            assertThatThrownBy(
                            () -> target.runTogether(List.of(request, new PassRequest.Prefill(foreign, tokens, 0, 1))))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("another target");
            assertThatThrownBy(() -> target.runTogether(List.of(
                            request, new PassRequest.Prefill(bad, new int[CONTEXT], 0, JlamaTarget.MAX_ROWS - 4))))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("257 rows");
            assertThat(good.length()).isEqualTo(20);
            assertThat(Sessions.logits(good.prefill(tokens, 20, 10), 9, VOCABULARY))
                    .isEqualTo(plain[29]);
        }
    }

    @Test
    void aTokenTakesTheBytesOfKeysAndValuesThatAreSaid() {
        try (TargetSession session = session()) {
            session.prefill(Sessions.tokens(64, VOCABULARY, 41), 0, 64);
            assertThat(session.kvBytes()).isEqualTo(64 * target.kvBytesPerToken());
        }
    }

    @Test
    void concurrentSessionsDoNotDisturbEachOther() throws Exception {
        List<int[]> texts = new ArrayList<>();
        List<float[][]> expected = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            texts.add(Sessions.tokens(60, VOCABULARY, 20 + i));
            expected.add(Sessions.plain(target, texts.get(i)));
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<float[][]>> results = new ArrayList<>();
            for (int round = 0; round < 3; round++) {
                for (int[] text : texts) {
                    results.add(threads.submit(() -> Sessions.plain(target, text)));
                }
            }
            for (int i = 0; i < results.size(); i++) {
                assertThat(results.get(i).get()).isDeepEqualTo(expected.get(i % 4));
            }
        }
    }

    /**
     * Warm is when the JIT compiler is done with the kernels, which takes some seconds, or minutes on a busy machine; until
     * then vectors are boxed.
     */
    @Test
    void aWarmPassAllocatesNothing() {
        TokenTree tree = tree();
        long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(3);
        try (TargetSession session = session()) {
            session.prefill(Sessions.tokens(10, VOCABULARY, 12), 0, 10);
            verifyOften(session, tree);
            long allocated;
            do {
                allocated = allocatedBytes(() -> verifyOften(session, tree));
            } while (allocated > MEASURING_BYTES && System.nanoTime() < deadline);
            assertThat(allocated).isLessThanOrEqualTo(MEASURING_BYTES);
        }
    }

    private static void verifyOften(TargetSession session, TokenTree tree) {
        for (int i = 0; i < 50; i++) {
            session.verify(tree);
            session.commit(ROOT, 1);
        }
        session.truncate(10);
    }

    private static long allocatedBytes(Runnable work) {
        ThreadMXBean bean = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = bean.getCurrentThreadAllocatedBytes();
        work.run();
        return bean.getCurrentThreadAllocatedBytes() - before;
    }
}
