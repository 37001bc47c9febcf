package io.prism.training.cache;

import io.prism.training.cache.EpochOrder.Block;
import io.prism.training.cache.EpochOrder.Place;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;

/** Gives any batch of any epoch; reads a block when a batch of it is first asked for. Not thread-safe. */
public final class BatchReader {
    private final FeatureCache cache;
    private final LongFunction<EpochOrder> orders;
    private long epoch = -1;
    private EpochOrder order = new EpochOrder(List.of());
    private long loadedEpoch = -1;
    private int loadedBlock = -1;
    private final Map<Integer, List<Example>> loaded = new HashMap<>();

    /** @param orders the order of an epoch (from 0) */
    public BatchReader(FeatureCache cache, LongFunction<EpochOrder> orders) {
        this.cache = cache;
        this.orders = orders;
    }

    public long batches(long epoch) {
        enter(epoch);
        return order.batches();
    }

    /** Batch {@code index} of an epoch. */
    public List<Example> batch(long epoch, long index) {
        enter(epoch);
        long rest = index;
        for (int number = 0; number < order.blocks().size(); number++) {
            Block block = order.blocks().get(number);
            if (rest < block.batches().size()) {
                load(number, block);
                List<Example> batch = new ArrayList<>();
                for (Place place : block.batches().get((int) rest)) {
                    batch.add(loaded.get(place.shard()).get(place.index()));
                }
                return batch;
            }
            rest -= block.batches().size();
        }
        throw new IndexOutOfBoundsException("batch " + index + " of " + order.batches());
    }

    private void enter(long wanted) {
        if (epoch != wanted) {
            order = orders.apply(wanted);
            epoch = wanted;
        }
    }

    private void load(int number, Block block) {
        if (loadedEpoch == epoch && loadedBlock == number) {
            return;
        }
        loaded.keySet().retainAll(block.shards());
        for (int shard : block.shards()) {
            if (!loaded.containsKey(shard)) {
                loaded.put(shard, cache.read(cache.shards().get(shard)));
            }
        }
        loadedEpoch = epoch;
        loadedBlock = number;
    }
}
