package io.prism.training.cache;

import io.prism.training.cache.FeatureCache.Shard;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;

/**
 * The order in which an epoch visits the examples: shards shuffled and taken a few at a time, so that only these are in
 * memory; batches of similar length within them, shuffled. The same for the same seed, and known without reading
 * anything but lengths.
 *
 * @param blocks in order
 */
public record EpochOrder(List<Block> blocks) {

    /**
     * Shards that are in memory together.
     *
     * @param shards numbers of the shards
     * @param batches in order
     */
    public record Block(List<Integer> shards, List<List<Place>> batches) {}

    /**
     * An example.
     *
     * @param shard number of its shard within the cache
     * @param index within the shard
     */
    public record Place(int shard, int index) {}

    public EpochOrder {
        blocks = List.copyOf(blocks);
    }

    /**
     * @param batchTokens the most positions of a batch, padding included; a longer example is a batch of its own
     * @param blockTokens tokens in memory at a time, at least one shard's
     */
    public static EpochOrder of(List<Shard> shards, int batchTokens, long blockTokens, long seed) {
        Random random = new Random(seed);
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < shards.size(); i++) {
            order.add(i);
        }
        Collections.shuffle(order, random);
        List<Block> blocks = new ArrayList<>();
        List<Integer> current = new ArrayList<>();
        long tokens = 0;
        for (int shard : order) {
            long more = java.util.Arrays.stream(shards.get(shard).lengths())
                    .asLongStream()
                    .sum();
            if (!current.isEmpty() && tokens + more > blockTokens) {
                blocks.add(block(current, shards, batchTokens, random));
                current = new ArrayList<>();
                tokens = 0;
            }
            current.add(shard);
            tokens += more;
        }
        if (!current.isEmpty()) {
            blocks.add(block(current, shards, batchTokens, random));
        }
        return new EpochOrder(blocks);
    }

    public long batches() {
        return blocks.stream().mapToLong(block -> block.batches().size()).sum();
    }

    private static Block block(List<Integer> numbers, List<Shard> shards, int batchTokens, Random random) {
        List<Place> places = new ArrayList<>();
        for (int number : numbers) {
            for (int i = 0; i < shards.get(number).lengths().length; i++) {
                places.add(new Place(number, i));
            }
        }
        // shuffled first: the sort is stable, so equal lengths meet by chance
        Collections.shuffle(places, random);
        places.sort(Comparator.comparingInt(place -> length(place, shards)));
        List<List<Place>> batches = new ArrayList<>();
        List<Place> batch = new ArrayList<>();
        for (Place place : places) {
            // ascending, so this one is the longest so far
            if (!batch.isEmpty() && (batch.size() + 1L) * Example.positions(length(place, shards)) > batchTokens) {
                batches.add(List.copyOf(batch));
                batch.clear();
            }
            batch.add(place);
        }
        if (!batch.isEmpty()) {
            batches.add(List.copyOf(batch));
        }
        Collections.shuffle(batches, random);
        return new Block(List.copyOf(numbers), batches);
    }

    private static int length(Place place, List<Shard> shards) {
        return shards.get(place.shard()).lengths()[place.index()];
    }
}
