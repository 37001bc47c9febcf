package io.prism.training.run;

import io.prism.training.cache.BatchReader;
import io.prism.training.cache.Example;
import java.util.List;

/** Walks through batches, epoch after epoch. */
final class EpochCursor {
    private final BatchReader batches;
    private long epoch;
    private long index;

    /** @param step batches to pass over */
    EpochCursor(BatchReader batches, long step) {
        this.batches = batches;
        long rest = step;
        while (rest >= batches.batches(epoch)) {
            rest -= batches.batches(epoch);
            epoch++;
        }
        index = rest;
    }

    List<Example> next() {
        if (index == batches.batches(epoch)) {
            epoch++;
            index = 0;
        }
        return batches.batch(epoch, index++);
    }
}
