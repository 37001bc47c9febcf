package io.prism.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class KvCacheTest {
    private static final int LAYERS = 2;
    private static final int KV_HEADS = 3;
    private static final int HEAD_SIZE = 6;

    private final KvCache cache = new KvCache(LAYERS, KV_HEADS, HEAD_SIZE, 150);

    @Test
    void pagesAreAllocatedWhenTheyAreNeeded() {
        assertThat(cache.bytes()).isZero();
        assertThat((Object[]) cache.keyPages(0)).hasSize(3).containsOnlyNulls();
        cache.ensure(1);
        long page = 2L * LAYERS * KV_HEADS * KvCache.PAGE_SLOTS * HEAD_SIZE * Float.BYTES;
        assertThat(cache.bytes()).isEqualTo(page);
        float[] first = cache.keyPages(0)[0];
        cache.ensure(64);
        assertThat(cache.bytes()).isEqualTo(page);
        cache.ensure(65);
        assertThat(cache.bytes()).isEqualTo(2 * page);
        cache.ensure(150);
        assertThat(cache.bytes()).isEqualTo(3 * page);
        assertThat(cache.keyPages(0)[0]).isSameAs(first);
    }

    @Test
    void moreSlotsThanTheCapacityAreRefused() {
        assertThatThrownBy(() -> cache.ensure(151))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("151")
                .hasMessageContaining("150");
    }

    @Test
    void everyElementOfEverySlotHasItsOwnPlaceInAPage() {
        cache.ensure(64);
        Set<Integer> keys = new HashSet<>();
        Set<Integer> values = new HashSet<>();
        for (int head = 0; head < KV_HEADS; head++) {
            for (int slot = 0; slot < KvCache.PAGE_SLOTS; slot++) {
                for (int e = 0; e < HEAD_SIZE; e++) {
                    keys.add(cache.keyIndex(head, slot) + e * KvCache.BLOCK_SLOTS);
                    values.add(cache.valueIndex(head, slot) + e);
                }
            }
        }
        int size = cache.keyPages(0)[0].length;
        assertThat(keys).hasSize(size).allMatch(index -> index >= 0 && index < size);
        assertThat(values).hasSize(size).allMatch(index -> index >= 0 && index < size);
    }

    @Test
    void neighbouringSlotsAreNeighboursInTheKeyLayout() {
        assertThat(cache.keyIndex(1, 18)).isEqualTo(cache.keyIndex(1, 17) + 1);
        assertThat(cache.keyIndex(2, 64 + 5)).isEqualTo(cache.keyIndex(2, 5));
    }

    @Test
    void copyingASlotCarriesKeyAndValueOfEveryLayerAcrossPages() {
        cache.ensure(150);
        fill(70, 7);
        fill(71, 8);
        cache.copySlot(70, 3);
        assertHolds(3, 7);
        assertHolds(70, 7);
        assertHolds(71, 8);
        assertHolds(4, 0);
        cache.copySlot(71, 71);
        assertHolds(71, 8);
    }

    private void fill(int slot, float value) {
        for (int layer = 0; layer < LAYERS; layer++) {
            for (int head = 0; head < KV_HEADS; head++) {
                for (int e = 0; e < HEAD_SIZE; e++) {
                    cache.keyPages(layer)[slot / 64][cache.keyIndex(head, slot) + e * 16] = value + layer + head + e;
                    cache.valuePages(layer)[slot / 64][cache.valueIndex(head, slot) + e] = -value - layer - head - e;
                }
            }
        }
    }

    private void assertHolds(int slot, float value) {
        for (int layer = 0; layer < LAYERS; layer++) {
            for (int head = 0; head < KV_HEADS; head++) {
                for (int e = 0; e < HEAD_SIZE; e++) {
                    float expected = value == 0 ? 0 : value + layer + head + e;
                    assertThat(cache.keyPages(layer)[slot / 64][cache.keyIndex(head, slot) + e * 16])
                            .isEqualTo(expected);
                    assertThat(cache.valuePages(layer)[slot / 64][cache.valueIndex(head, slot) + e] + expected)
                            .isZero();
                }
            }
        }
    }

    @Test
    void aKeyAndAValueThatArePutLieWhereKernelsLookForThem() {
        cache.ensure(70);
        int width = KV_HEADS * HEAD_SIZE;
        float[] entry = new float[1 + 2 * width];
        for (int i = 0; i < entry.length; i++) {
            entry[i] = i;
        }
        int slot = 67;
        cache.put(1, slot, entry, 1, 1 + width);
        for (int head = 0; head < KV_HEADS; head++) {
            for (int e = 0; e < HEAD_SIZE; e++) {
                int i = head * HEAD_SIZE + e;
                assertThat(cache.keyPages(1)[1][cache.keyIndex(head, slot) + e * KvCache.BLOCK_SLOTS])
                        .isEqualTo(1 + i);
                assertThat(cache.valuePages(1)[1][cache.valueIndex(head, slot) + e])
                        .isEqualTo(1 + width + i);
            }
        }
    }
}
