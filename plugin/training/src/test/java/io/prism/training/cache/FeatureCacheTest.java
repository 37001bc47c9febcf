package io.prism.training.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.prism.spi.PrismException;
import io.prism.training.cache.EpochOrder.Block;
import io.prism.training.cache.EpochOrder.Place;
import io.prism.training.cache.FeatureCache.Shard;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FeatureCacheTest {
    private static final CacheKey KEY = new CacheKey("target", "BF16", "data", "answers", 3, List.of(1));

    @TempDir
    private Path folder;

    @Test
    void whatIsWrittenIsReadAgainInTheNextRun() {
        FeatureCache cache = FeatureCache.open(folder, KEY);
        Example first = example(5, 1);
        Example second = example(7, 2);
        cache.append(List.of(first, second), 2, false);
        FeatureCache reopened = FeatureCache.open(folder, KEY);
        assertThat(reopened.conversations()).isEqualTo(2);
        assertThat(reopened.isComplete()).isFalse();
        assertThat(reopened.tokens()).isEqualTo(12);
        List<Example> read = reopened.read(reopened.shards().getFirst());
        assertThat(read.get(1).tokens()).containsExactly(second.tokens());
        assertThat(read.get(1).states()).containsExactly(second.states());
        assertThat(read.get(1).promptLength()).isEqualTo(second.promptLength());
    }

    @Test
    void aPartIsTheFewestFirstShardsThatHoldTheShare() {
        FeatureCache cache = FeatureCache.open(folder, KEY);
        cache.append(List.of(example(5, 1)), 1, false);
        cache.append(List.of(example(7, 2)), 2, false);
        cache.append(List.of(example(8, 3)), 3, true);
        assertThat(cache.part(0.25).tokens()).isEqualTo(5);
        assertThat(cache.part(0.26).tokens()).isEqualTo(12);
        assertThat(cache.part(1).tokens()).isEqualTo(20);
        assertThat(cache.part(0.5).read(cache.shards().get(1))).hasSize(1);
    }

    @Test
    void aCacheOfAnotherTargetIsRefused() {
        FeatureCache.open(folder, KEY).append(List.of(example(5, 1)), 1, true);
        CacheKey other = new CacheKey("other", "BF16", "data", "answers", 3, List.of(1));
        assertThatThrownBy(() -> FeatureCache.open(folder, other))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("target=target")
                .hasMessageContaining("target=other")
                .hasMessageContaining("--cache");
    }

    @Test
    void aShardCutShortIsReportedByName() throws IOException {
        FeatureCache cache = FeatureCache.open(folder, KEY);
        cache.append(List.of(example(5, 1)), 1, true);
        Path shard = folder.resolve("shard-00000.bin");
        byte[] bytes = Files.readAllBytes(shard);
        Files.write(shard, Arrays.copyOf(bytes, bytes.length - 3));
        assertThatThrownBy(() -> cache.read(cache.shards().getFirst()))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("shard-00000.bin is damaged (it ends early)");
    }

    @Test
    void aFullDiskIsReportedAndLosesNothingWrittenBefore() throws IOException {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.exists(full), "needs /dev/full, on which every write finds the disk full");
        FeatureCache cache = FeatureCache.open(folder, KEY);
        cache.append(List.of(example(5, 1)), 1, false);
        // the next shard's temporary file
        Files.createSymbolicLink(folder.resolve("shard-00001.bin.tmp"), full);
        assertThatThrownBy(() -> cache.append(List.of(example(6, 2)), 2, false))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("No space left on device")
                .hasMessageContaining("run the same command again");
        FeatureCache reopened = FeatureCache.open(folder, KEY);
        assertThat(reopened.conversations()).isEqualTo(1);
        assertThat(reopened.read(reopened.shards().getFirst())).hasSize(1);
        reopened.append(List.of(example(6, 2)), 2, true);
        assertThat(reopened.examples()).isEqualTo(2);
    }

    @Test
    void anEpochVisitsEveryExampleOnceInBatchesAndBlocksThatKeepTheirBounds() {
        List<Shard> shards = new ArrayList<>();
        Random random = new Random(1);
        for (int i = 0; i < 7; i++) {
            shards.add(new Shard("s" + i, random.ints(50, 3, 60).toArray()));
        }
        EpochOrder order = EpochOrder.of(shards, 128, 4000, 9);
        List<Place> visited = new ArrayList<>();
        for (Block block : order.blocks()) {
            long tokens = block.shards().stream()
                    .mapToLong(
                            shard -> Arrays.stream(shards.get(shard).lengths()).sum())
                    .sum();
            assertThat(block.shards().size() == 1 || tokens <= 4000).isTrue();
            for (List<Place> batch : block.batches()) {
                int longest = batch.stream()
                        .mapToInt(place -> shards.get(place.shard()).lengths()[place.index()] - 2)
                        .max()
                        .orElseThrow();
                assertThat(batch.size() * longest).isLessThanOrEqualTo(128);
                visited.addAll(batch);
                assertThat(block.shards())
                        .containsAll(batch.stream().map(Place::shard).toList());
            }
        }
        assertThat(visited).hasSize(350).doesNotHaveDuplicates();
        assertThat(EpochOrder.of(shards, 128, 4000, 9)).isEqualTo(order);
        assertThat(EpochOrder.of(shards, 128, 4000, 10)).isNotEqualTo(order);
    }

    private static Example example(int tokens, int promptLength) {
        short[] states = new short[(tokens - 1) * KEY.width()];
        int[] ids = new int[tokens];
        for (int i = 0; i < states.length; i++) {
            states[i] = Example.toBf16(i - 3.5f);
        }
        for (int i = 0; i < tokens; i++) {
            ids[i] = 100 + i;
        }
        return new Example(ids, promptLength, states);
    }
}
