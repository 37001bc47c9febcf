package io.prism.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AttentionLayoutTest {
    private final KvCache cache = new KvCache(1, 1, 2, 4096);
    private final AttentionLayout layout = new AttentionLayout();

    @Test
    void aRowOfASequenceSeesEverythingUpToItself() {
        layout.addSequence(cache, 10, 3);
        assertThat(layout.rows()).isEqualTo(3);
        for (int row = 0; row < 3; row++) {
            assertThat(layout.slot(row)).isEqualTo(10 + row);
            assertThat(layout.prefix(row)).isEqualTo(11 + row);
            assertThat(layout.tailLength(row)).isZero();
            assertThat(layout.position(row)).isEqualTo(10 + row);
        }
    }

    @Test
    void aRowOfATreeSeesTheCommittedTokensItsAncestorsAndItself() {
        // 0 -> 1 -> 3, 0 -> 2 -> 4
        layout.addTree(cache, 10, new int[] {-1, 0, 0, 1, 2}, 5);
        assertThat(seen(0)).isEqualTo(slots(10, 10));
        assertThat(seen(1)).isEqualTo(slots(10, 10, 11));
        assertThat(seen(2)).isEqualTo(slots(10, 10, 12));
        assertThat(seen(3)).isEqualTo(slots(10, 10, 11, 13));
        assertThat(seen(4)).isEqualTo(slots(10, 10, 12, 14));
        assertThat(layout.slot(4)).isEqualTo(14);
        assertThat(layout.position(4)).isEqualTo(12);
    }

    @Test
    void rowsOfSeveralSessionsKeepTheirCaches() {
        KvCache other = new KvCache(1, 1, 2, 64);
        layout.addSequence(cache, 5, 1);
        layout.addTree(other, 0, new int[] {0, 0}, 2);
        layout.addSequence(cache, 6, 1);
        assertThat(List.of(layout.cache(0), layout.cache(1), layout.cache(2), layout.cache(3)))
                .containsExactly(cache, other, other, cache);
        assertThat(seen(2)).isEqualTo(List.of(0, 1));
        assertThat(seen(3)).hasSize(7);
    }

    @Test
    void itGrowsToAnyNumberOfRowsAndIsReusable() {
        for (int round = 0; round < 3; round++) {
            layout.clear();
            assertThat(layout.rows()).isZero();
            int nodes = 300;
            int[] parents = parents(nodes, round);
            layout.addTree(cache, 20, parents, nodes);
            layout.addSequence(cache, 700, 200);
            for (int node = 0; node < nodes; node++) {
                assertThat(seen(node)).isEqualTo(expected(parents, node));
            }
            assertThat(layout.visible(499)).isEqualTo(900);
        }
    }

    private static int[] parents(int nodes, long seed) {
        Random random = new Random(seed);
        int[] parents = new int[nodes];
        for (int node = 1; node < nodes; node++) {
            parents[node] = node - 1 - random.nextInt(Math.min(node, 3));
        }
        return parents;
    }

    private static List<Integer> expected(int[] parents, int node) {
        List<Integer> path = new ArrayList<>();
        for (int at = node; at > 0; at = parents[at]) {
            path.addFirst(20 + at);
        }
        path.addFirst(20);
        return slots(20, path.stream().mapToInt(Integer::intValue).toArray());
    }

    private static List<Integer> slots(int committed, int... rest) {
        List<Integer> slots = new ArrayList<>();
        for (int slot = 0; slot < committed; slot++) {
            slots.add(slot);
        }
        for (int slot : rest) {
            slots.add(slot);
        }
        return slots;
    }

    /** Slots in order of position. */
    private List<Integer> seen(int row) {
        List<Integer> slots = new ArrayList<>();
        for (int slot = 0; slot < layout.prefix(row); slot++) {
            slots.add(slot);
        }
        for (int i = 0; i < layout.tailLength(row); i++) {
            slots.add(layout.tailSlot(row, i));
        }
        assertThat(layout.visible(row)).isEqualTo(slots.size());
        return slots;
    }
}
