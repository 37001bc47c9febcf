package io.prism.decode;

import io.prism.batch.Batcher;
import io.prism.batch.GroupWork;
import io.prism.spi.TargetModel;
import io.prism.tree.CostModel;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * The passes of all requests of a decoder. Where sessions of the target can share passes, rounds of requests that run at
 * the same time are merged: proposals made together, trees chosen together, one pass for all rows. Prompts go along in
 * parts, small ones while others are in their rounds, so that no one waits for another's prompt. Results are those of
 * passes of each request's own, as rows don't depend on each other.
 *
 * <p>Thread-safe.
 */
final class Rounds {
    /** Most tokens of a prompt in a pass of its own: enough to be bound by arithmetic, few enough to bound scratch memory. */
    static final int PROMPT_ROWS = 512;

    /** A part of a prompt may make a round this many times as long for those who share it. */
    private static final double MOST_STRETCH = 3;

    /** Tokens of a prompt that go along in any case, or it would never end. */
    private static final int LEAST_PROMPT_ROWS = 8;

    /** How long a round waits for those who are expected, as a share of a plain pass of all. */
    private static final double PATIENCE = 0.5;

    /** The same while passes have not been timed yet. */
    private static final long FIRST_PATIENCE_NANOS = 200_000;

    private final TargetModel target;
    private final PassCosts costs;

    /** For what is decided before the requests of a pass are known. */
    private final CostModel cost;

    private final int lanes;
    private final @Nullable Batcher<RoundStep> batcher;

    /** Passes that are not under way, kept for their memory. */
    private final Deque<JointPass> idle = new ConcurrentLinkedDeque<>();

    private final AtomicInteger decoding = new AtomicInteger();
    private final LongAdder passes = new LongAdder();
    private final LongAdder parts = new LongAdder();
    private final LongAdder rowsRun = new LongAdder();

    Rounds(TargetModel target, PassCosts costs) {
        this.target = target;
        this.costs = costs;
        this.cost = costs.logits();
        this.lanes = Math.max(1, target.concurrentPasses());
        this.batcher = target.maxJointRows() > 1 ? new Batcher<>(new Work(), lanes) : null;
    }

    /** A request begins. */
    Turns join() {
        return new Turns();
    }

    BatchStatistics statistics() {
        return new BatchStatistics(passes.sum(), parts.sum(), rowsRun.sum());
    }

    /** A request's turns in passes, one after the other. Used by one thread at a time. */
    final class Turns implements AutoCloseable {
        private final Batcher<RoundStep>.@Nullable Member member;
        private boolean prompted;

        private Turns() {
            member = batcher == null ? null : batcher.join();
        }

        /** The prompt is done: rounds follow. */
        void endPrompt() {
            prompted = true;
            decoding.incrementAndGet();
        }

        /** How many requests are to be expected in the next round, this one included. */
        int sessions() {
            return batcher == null ? 1 : Math.max(1, share(decoding.get()));
        }

        /** Performs a step, see {@link Batcher.Member#perform}. */
        boolean perform(RoundStep step) {
            if (member == null) {
                step.limitRows(PROMPT_ROWS);
                pass(List.of(step));
                return true;
            }
            return member.perform(step);
        }

        @Override
        public void close() {
            if (prompted) {
                decoding.decrementAndGet();
            }
            if (member != null) {
                member.close();
            }
        }
    }

    /** Of this many requests, those that a pass has when as many passes run at once as may. */
    private int share(int requests) {
        return (requests + lanes - 1) / lanes;
    }

    private void pass(List<RoundStep> group) {
        JointPass kept = idle.pollLast();
        JointPass pass = kept == null ? new JointPass(target, costs) : kept;
        pass.run(group);
        idle.addLast(pass);
        passes.increment();
        parts.add(group.size());
        for (RoundStep step : group) {
            rowsRun.add(step.rows());
        }
    }

    private final class Work implements GroupWork<RoundStep> {
        @Override
        public List<RoundStep> choose(List<RoundStep> waiting) {
            int most = target.maxJointRows();
            int promptRows = promptRows(share(decoding.get()));
            int rows = 0;
            List<RoundStep> group = new ArrayList<>(waiting.size());
            for (RoundStep step : waiting) {
                if (!step.isPrompt()) {
                    if (rows < most) {
                        rows++;
                        group.add(step);
                    }
                } else if (Math.min(promptRows, most - rows) > 0) {
                    step.limitRows(Math.min(promptRows, most - rows));
                    promptRows -= step.rows();
                    rows += step.rows();
                    group.add(step);
                }
            }
            return group;
        }

        @Override
        public void run(List<RoundStep> group) {
            pass(group);
        }

        @Override
        public long patienceNanos(int members) {
            return cost.isKnown()
                    ? (long) (PATIENCE * cost.nanos(Math.clamp(share(members), 1, cost.maxRows())))
                    : FIRST_PATIENCE_NANOS;
        }
    }

    /** The most tokens of prompts in a pass beside the rounds of {@code sessions} requests. */
    private int promptRows(int sessions) {
        if (sessions == 0) {
            return target.maxJointRows();
        }
        int most = Math.min(target.maxJointRows(), cost.maxRows()) / 2;
        int rows = LEAST_PROMPT_ROWS;
        while (rows < most && isBearable(sessions, rows + LEAST_PROMPT_ROWS)) {
            rows += LEAST_PROMPT_ROWS;
        }
        return rows;
    }

    private boolean isBearable(int sessions, int promptRows) {
        int rows = Math.min(sessions, cost.maxRows());
        int all = Math.min(rows + promptRows, cost.maxRows());
        return cost.isKnown() && cost.nanos(all) <= MOST_STRETCH * cost.nanos(rows);
    }
}
