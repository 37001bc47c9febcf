package io.prism.training.run;

import io.prism.training.cache.BatchReader;
import io.prism.training.cache.EpochOrder;
import io.prism.training.cache.Example;
import io.prism.training.cache.FeatureCache;
import io.prism.training.loss.HeadLoss;
import io.prism.training.network.AlignedForward;
import io.prism.training.network.Batch;
import io.prism.training.network.DraftNetwork;
import io.prism.training.network.FrozenTarget;
import io.prism.training.network.LibTorch;
import io.prism.training.plan.KeyValueMode;
import io.prism.training.plan.ModelPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/** Measures {@link Acceptance} on examples kept apart; keys and values always come from where inference takes them. */
final class Validation {
    private final FrozenTarget target;
    private final BatchAssembler assembler;
    private final BatchReader reader;
    private final int steps;

    Validation(FrozenTarget target, BatchAssembler assembler, FeatureCache cache, int batchTokens, int steps) {
        this.target = target;
        this.assembler = assembler;
        EpochOrder order = EpochOrder.of(cache.shards(), batchTokens, 1, 0);
        this.reader = new BatchReader(cache, _ -> order);
        this.steps = steps;
    }

    Acceptance measure(DraftNetwork network, ModelPlan plan, HeadLoss head, Workers workers) {
        AlignedForward forward = new AlignedForward(network, plan, KeyValueMode.INFERENCE, target);
        Counts total = new Counts(new long[steps], new long[steps]);
        long batches = reader.batches(0);
        for (long first = 0; first < batches; first += workers.count()) {
            List<Callable<Counts>> tasks = new ArrayList<>();
            for (long index = first; index < Math.min(batches, first + workers.count()); index++) {
                List<Example> examples = reader.batch(0, index);
                tasks.add(() -> count(examples, forward, network, head));
            }
            workers.run(tasks).forEach(total::add);
        }
        return total.acceptance();
    }

    private Counts count(List<Example> examples, AlignedForward forward, DraftNetwork network, HeadLoss head) {
        Counts counts = new Counts(new long[steps], new long[steps]);
        try (NoGradGuard _ = new NoGradGuard();
                PointerScope _ = new PointerScope()) {
            Batch batch = assembler.assemble(examples);
            long[] rows = batch.rows(1);
            if (rows.length > 0) {
                count(batch, rows, forward.run(batch, steps, true), network, head, counts);
            }
        }
        return counts;
    }

    private void count(
            Batch batch, long[] rows, List<Tensor> outputs, DraftNetwork network, HeadLoss head, Counts counts) {
        Tensor index = LibTorch.tensor(rows, rows.length);
        long[] wanted = byCell(batch, rows, HeadLoss.bestRows(batch.labels().index_select(0, index), target.head()));
        boolean[] alive = new boolean[wanted.length];
        java.util.Arrays.fill(alive, true);
        for (int step = 1; step <= steps; step++) {
            Tensor states = outputs.get(step - 1)
                    .view(-1, target.architecture().hiddenSize())
                    .index_select(0, index);
            long[] drafted = byCell(batch, rows, head.bestTokens(network.headInput(states), network.ownHead()));
            for (int sequence = 0; sequence < batch.sequences(); sequence++) {
                for (int i = batch.firstAnswers()[sequence] + step - 1; i < batch.lengths()[sequence]; i++) {
                    int cell = sequence * batch.positions() + i;
                    int start = cell - step + 1;
                    alive[start] &= drafted[cell] == wanted[cell];
                    counts.chains()[step - 1]++;
                    counts.accepted()[step - 1] += alive[start] ? 1 : 0;
                }
            }
        }
    }

    private static long[] byCell(Batch batch, long[] rows, long[] values) {
        long[] cells = new long[batch.sequences() * batch.positions()];
        for (int i = 0; i < rows.length; i++) {
            cells[(int) rows[i]] = values[i];
        }
        return cells;
    }

    /** Of each step, chains that are that long and those of them that were accepted to their end. */
    @SuppressWarnings("ArrayRecordComponent") // counted up
    private record Counts(long[] accepted, long[] chains) {
        void add(Counts other) {
            for (int step = 0; step < chains.length; step++) {
                accepted[step] += other.accepted[step];
                chains[step] += other.chains[step];
            }
        }

        Acceptance acceptance() {
            List<Double> marginal = new ArrayList<>();
            for (int step = 0; step < chains.length; step++) {
                marginal.add(chains[step] == 0 ? 0 : (double) accepted[step] / chains[step]);
            }
            return new Acceptance(marginal);
        }
    }
}
