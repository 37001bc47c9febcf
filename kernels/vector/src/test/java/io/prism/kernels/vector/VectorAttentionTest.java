package io.prism.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;

import io.prism.kernels.AttentionLayout;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.Kernels;
import io.prism.kernels.KvCache;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class VectorAttentionTest {
    /**
     * Outputs are averages of values of size 1.5. Scores of size 2 carry rounding errors of about 2^-24 x sqrt(headSize)
     * each, which the softmax passes on as relative errors of the weights.
     */
    private static final float TOLERANCE = 2e-5f;

    private static final Kernels REFERENCE = new ScalarKernels();
    private static final Kernels VECTOR = Samples.vector(2);

    @AfterAll
    static void close() {
        VECTOR.close();
    }

    static Stream<Arguments> shapesAndContexts() {
        List<Arguments> all = new ArrayList<>();
        List<AttentionShape> shapes = List.of(
                AttentionFixture.shape(4, 2, 32, 0),
                AttentionFixture.shape(3, 3, 48, 0),
                AttentionFixture.shape(8, 2, 64, 0),
                AttentionFixture.shape(6, 2, 100, 0),
                AttentionFixture.shape(5, 1, 128, 0),
                AttentionFixture.shape(4, 2, 64, 5));
        for (AttentionShape shape : shapes) {
            for (int context : new int[] {0, 1, 15, 16, 17, 63, 64, 65, 127, 200}) {
                all.add(Arguments.of(shape, context));
            }
        }
        return all.stream();
    }

    @ParameterizedTest
    @MethodSource("shapesAndContexts")
    void agreesWithTheReferenceOnSequences(AttentionShape shape, int context) {
        AttentionFixture fixture = new AttentionFixture(shape, context, 33);
        for (int rows : new int[] {1, 3, 17, 33}) {
            AttentionLayout layout = new AttentionLayout();
            layout.addSequence(fixture.cache, context, rows);
            assertAgrees(fixture, layout);
        }
    }

    @ParameterizedTest
    @MethodSource("shapesAndContexts")
    void agreesWithTheReferenceOnTrees(AttentionShape shape, int context) {
        AttentionFixture fixture = new AttentionFixture(shape, context, 80);
        for (int nodes : new int[] {1, 6, 33, 80}) {
            AttentionLayout layout = new AttentionLayout();
            layout.addTree(fixture.cache, context, AttentionFixture.parents(nodes, context + nodes), nodes);
            assertAgrees(fixture, layout);
        }
    }

    @Test
    void agreesWithTheReferenceOnSeveralSessionsAtOnce() {
        AttentionShape shape = AttentionFixture.shape(8, 2, 64, 0);
        AttentionFixture fixture = new AttentionFixture(shape, 70, 16);
        AttentionFixture other = new AttentionFixture(shape, 9, 16);
        AttentionLayout layout = new AttentionLayout();
        layout.addTree(other.cache, 9, AttentionFixture.parents(7, 1), 7);
        layout.addSequence(fixture.cache, 70, 3);
        layout.addTree(other.cache, 9, AttentionFixture.parents(1, 1), 1);
        assertAgrees(fixture, layout);
    }

    private static void assertAgrees(AttentionFixture fixture, AttentionLayout layout) {
        float[] qkv = fixture.store(layout, fixture.rows(layout.rows(), layout.rows()));
        float[] expected = attention(REFERENCE, layout, fixture.shape, qkv);
        float[] actual = attention(VECTOR, layout, fixture.shape, qkv);
        Samples.assertClose(actual, expected, TOLERANCE);
    }

    private static float[] attention(Kernels kernels, AttentionLayout layout, AttentionShape shape, float[] qkv) {
        float[] out = new float[layout.rows() * shape.queryWidth()];
        kernels.attention(layout, shape, 0, qkv, out);
        return out;
    }

    @ParameterizedTest
    @MethodSource("shapesAndContexts")
    void aRowHasTheSameBitsAloneAndAmongOthersOnAnyNumberOfThreads(AttentionShape shape, int context) {
        AttentionFixture fixture = new AttentionFixture(shape, context, 80);
        int width = shape.queryWidth();
        for (int rows : new int[] {2, 5, 33}) {
            AttentionLayout layout = new AttentionLayout();
            layout.addSequence(fixture.cache, context, rows);
            float[] qkv = fixture.store(layout, fixture.rows(rows, rows));
            float[] together = attention(VECTOR, layout, shape, qkv);
            try (Kernels one = Samples.vector(1)) {
                assertThat(attention(one, layout, shape, qkv)).isEqualTo(together);
            }
            for (int row = 0; row < rows; row++) {
                AttentionLayout single = new AttentionLayout();
                single.addSequence(fixture.cache, context + row, 1);
                float[] its = Arrays.copyOfRange(qkv, row * shape.qkvWidth(), (row + 1) * shape.qkvWidth());
                assertThat(attention(VECTOR, single, shape, its))
                        .isEqualTo(Arrays.copyOfRange(together, row * width, (row + 1) * width));
            }
        }
    }

    /** The tree's rows lie in other slots than the sequence's; only their history is the same. */
    @ParameterizedTest
    @MethodSource("shapesAndContexts")
    void aTreeRowHasTheBitsOfAPlainRowWithTheSameHistory(AttentionShape shape, int context) {
        for (int nodes : new int[] {7, 80}) {
            int[] parents = AttentionFixture.parents(nodes, 31L * nodes + context);
            AttentionFixture fixture = new AttentionFixture(shape, context, nodes);
            float[] rows = fixture.rows(nodes, nodes);
            AttentionLayout tree = new AttentionLayout();
            tree.addTree(fixture.cache, context, parents, nodes);
            float[] qkv = fixture.store(tree, rows.clone());
            float[] verified = attention(VECTOR, tree, shape, qkv);
            for (int node = nodes - 1; node >= 0; node -= 7) {
                float[] plain = plain(new AttentionFixture(shape, context, nodes), context, rows, path(parents, node));
                assertThat(plain)
                        .isEqualTo(Arrays.copyOfRange(
                                verified, node * shape.queryWidth(), (node + 1) * shape.queryWidth()));
            }
        }
    }

    private static int[] path(int[] parents, int node) {
        List<Integer> path = new ArrayList<>();
        for (int at = node; at > 0; at = parents[at]) {
            path.addFirst(at);
        }
        path.addFirst(0);
        return path.stream().mapToInt(Integer::intValue).toArray();
    }

    /** Decodes the rows of a path one after another and returns the last one's output. */
    private static float[] plain(AttentionFixture fixture, int context, float[] rows, int[] path) {
        int width = fixture.shape.qkvWidth();
        float[] out = new float[0];
        for (int i = 0; i < path.length; i++) {
            AttentionLayout layout = new AttentionLayout();
            layout.addSequence(fixture.cache, context + i, 1);
            float[] row = Arrays.copyOfRange(rows, path[i] * width, (path[i] + 1) * width);
            out = attention(VECTOR, layout, fixture.shape, fixture.store(layout, row));
        }
        return out;
    }

    @Test
    void rowsMayComeInAnyOrder() {
        AttentionShape shape = AttentionFixture.shape(8, 2, 64, 0);
        AttentionFixture fixture = new AttentionFixture(shape, 60, 20);
        AttentionLayout forth = new AttentionLayout();
        forth.addSequence(fixture.cache, 60, 20);
        float[] qkv = fixture.store(forth, fixture.rows(20, 3));
        float[] expected = attention(VECTOR, forth, shape, qkv);
        AttentionLayout back = new AttentionLayout();
        float[] reversed = new float[qkv.length];
        for (int row = 19; row >= 0; row--) {
            System.arraycopy(qkv, row * shape.qkvWidth(), reversed, back.rows() * shape.qkvWidth(), shape.qkvWidth());
            back.addSequence(fixture.cache, 60 + row, 1);
        }
        float[] actual = attention(VECTOR, back, shape, reversed);
        for (int row = 0; row < 20; row++) {
            int width = shape.queryWidth();
            assertThat(Arrays.copyOfRange(actual, (19 - row) * width, (20 - row) * width))
                    .isEqualTo(Arrays.copyOfRange(expected, row * width, (row + 1) * width));
        }
    }

    @Test
    void slotsThatARowDoesNotSeeHaveNoInfluence() {
        AttentionShape shape = AttentionFixture.shape(4, 2, 64, 0);
        AttentionFixture fixture = new AttentionFixture(shape, 70, 30);
        AttentionLayout layout = new AttentionLayout();
        layout.addTree(fixture.cache, 70, new int[] {0, 0, 0, 1}, 4);
        float[] qkv = fixture.store(layout, fixture.rows(4, 1));
        float[] expected = attention(VECTOR, layout, shape, qkv);
        for (int slot = 74; slot < 100; slot++) {
            poison(fixture.cache, slot);
        }
        assertThat(attention(VECTOR, layout, shape, qkv)).isEqualTo(expected);
    }

    private static void poison(KvCache cache, int slot) {
        for (int head = 0; head < cache.kvHeads(); head++) {
            for (int e = 0; e < cache.headSize(); e++) {
                cache.keyPages(0)[slot / KvCache.PAGE_SLOTS][cache.keyIndex(head, slot) + e * KvCache.BLOCK_SLOTS] =
                        Float.NaN;
                cache.valuePages(0)[slot / KvCache.PAGE_SLOTS][cache.valueIndex(head, slot) + e] = Float.NaN;
            }
        }
    }

    @Test
    void scoresFarApartNeitherOverflowNorGiveNaN() {
        AttentionShape shape = AttentionFixture.shape(2, 1, 32, 0);
        AttentionFixture fixture = new AttentionFixture(shape, 100, 1);
        AttentionLayout layout = new AttentionLayout();
        layout.addSequence(fixture.cache, 100, 1);
        float[] qkv = fixture.rows(1, 4);
        for (int i = 0; i < shape.queryWidth(); i++) {
            qkv[i] *= 1e4f;
        }
        fixture.store(layout, qkv);
        // one position takes all the weight, whose value is returned as it is stored
        Samples.assertClose(attention(VECTOR, layout, shape, qkv), attention(REFERENCE, layout, shape, qkv), TOLERANCE);
    }

    @AllocationCheck
    @Test
    void allocatesNothingOnceWarm() {
        AttentionShape shape = AttentionFixture.shape(4, 2, 48, 5);
        AttentionFixture fixture = new AttentionFixture(shape, 70, 16);
        AttentionLayout layout = new AttentionLayout();
        layout.addTree(fixture.cache, 70, AttentionFixture.parents(6, 6), 6);
        layout.addSequence(fixture.cache, 70, 2);
        float[] qkv = fixture.store(layout, fixture.rows(layout.rows(), 1));
        float[] out = new float[layout.rows() * shape.queryWidth()];
        AllocationProbe.assertSettlesAtZero("attention", () -> VECTOR.attention(layout, shape, 0, qkv, out));
    }
}
