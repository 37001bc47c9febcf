package io.prism.decode;

import io.prism.config.PrismConfig;
import io.prism.kernels.Kernels;
import io.prism.spi.ExpectedOutput;
import io.prism.spi.PassOutput;
import io.prism.spi.PrismException;
import io.prism.spi.TargetSession;
import io.prism.tree.TokenTree;
import io.prism.verify.GreedyVerifier;
import io.prism.verify.SamplingVerifier;
import io.prism.verify.Verdict;
import io.prism.verify.Verifier;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One conversation: its history (prompts and generated tokens) and what target and drafter keep of it. Not thread-safe.
 *
 * <p>The target's KV cache holds all of the history, or all but the last tokens: at least the last sampled token, which
 * the next pass runs first, and what an interrupted prefill left. {@link #generate} runs whatever is missing.
 */
public final class DecodingSession implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DecodingSession.class);

    private final TargetSession target;
    private final @Nullable GuardedDrafter drafter;
    private final RoundPlanners planners;
    private final ExperienceLedger ledger;
    private final Rounds rounds;
    private final KvBudget memory;
    private final GreedyVerifier greedy;
    private final SamplingVerifier sampling;
    private final PrismConfig config;
    private final AtomicInteger requests;
    private final History history = new History();
    private final TokenTree tree = new TokenTree(0);
    private int[] committed = new int[Rounds.PROMPT_ROWS];
    private int[] committedRows = new int[Rounds.PROMPT_ROWS];
    private @Nullable Throwable broken;

    /** @param requests counts requests under way */
    DecodingSession(
            TargetSession target,
            @Nullable GuardedDrafter drafter,
            RoundPlanners planners,
            ExperienceLedger ledger,
            Rounds rounds,
            KvBudget memory,
            Kernels kernels,
            int vocabulary,
            PrismConfig config,
            AtomicInteger requests) {
        this.target = target;
        this.drafter = drafter;
        this.planners = planners;
        this.ledger = ledger;
        this.rounds = rounds;
        this.memory = memory;
        this.greedy = new GreedyVerifier(kernels, vocabulary);
        this.sampling = new SamplingVerifier(kernels, vocabulary);
        this.config = config;
        this.requests = requests;
    }

    /** Tokens of the history: prompts and generated tokens, the last sampled one included. */
    public int length() {
        return history.length();
    }

    /** The most tokens the history can hold. */
    public int capacity() {
        return target.capacity();
    }

    /** Bytes of KV cache held now. */
    public long kvBytes() {
        return target.kvBytes();
    }

    /** How many leading tokens the history shares with {@code tokens}. */
    public int commonPrefix(int[] tokens) {
        return history.commonPrefix(tokens);
    }

    /**
     * What to append for a prompt that may repeat the conversation: if {@code prompt} begins with the whole history, the
     * rest of it (perhaps nothing), otherwise all of it.
     */
    public int[] remainderOf(int[] prompt) {
        int length = history.length();
        return history.commonPrefix(prompt) == length ? Arrays.copyOfRange(prompt, length, prompt.length) : prompt;
    }

    /**
     * Forgets all tokens from {@code length} on.
     *
     * @throws IllegalArgumentException if the history is shorter
     */
    public void truncate(int length) {
        if (length < 0 || length > history.length()) {
            throw new IllegalArgumentException(
                    "Can't truncate a history of " + history.length() + " tokens to " + length);
        }
        history.truncate(length);
        planners.truncated();
        truncateCaches(length);
    }

    private void truncateCaches(int length) {
        if (target.length() > length) {
            target.truncate(length);
        }
        if (drafter != null) {
            drafter.truncate(length);
        }
    }

    /**
     * Appends the prompt to the history and generates. Waits for room in the memory for KV caches, if there is none.
     *
     * <p>An interrupt of the thread ends the request with {@link FinishReason#STOPPED}, at the latest when the pass under
     * way is over; the thread stays interrupted. Interrupted before its turn has come, it changes nothing.
     *
     * <p>A failure of the target, or an exception from {@code listener}, is thrown on. The session stays usable: its
     * history holds the tokens that the listener was given, and not the prompt if it was given none. Only when the
     * target lost track of its own state, the session is broken and says so from then on.
     *
     * @param listener sees every generated token as soon as it is certain
     * @throws PrismException if the prompt does not fit, there is nothing to continue, or the session is broken
     */
    public GenerationResult generate(GenerationRequest request, TokenListener listener) {
        check(request);
        requests.incrementAndGet();
        try {
            return new Request(request, listener).run();
        } finally {
            requests.decrementAndGet();
        }
    }

    private void check(GenerationRequest request) {
        if (broken != null) {
            throw new PrismException(
                    "This session can't go on after an earlier failure of the target (" + broken
                            + "). Open a new session.",
                    broken);
        }
        int length = history.length();
        int added = request.prompt().length;
        if (length + added == 0) {
            throw new PrismException("Nothing to continue: history and prompt are empty. Give at least one token.");
        }
        if ((long) length + added > capacity()) {
            throw new PrismException("A prompt of " + added + " tokens after a history of " + length
                    + " does not fit a context of " + capacity() + " tokens. Shorten it or start a new session.");
        }
    }

    @Override
    public void close() {
        try {
            if (drafter != null) {
                drafter.close();
            }
        } finally {
            target.close();
        }
    }

    /** One request under way. */
    private final class Request {
        private final GenerationRequest request;
        private final TokenListener listener;
        private final Verifier verifier;
        private final RoundPlanner planner;
        private final StatisticsCollector statistics;
        private final int before = history.length();
        private final int start;
        private final @Nullable GuardedDrafter speculating;
        private final RoundStep step;
        private @Nullable FinishReason reason;
        private long listenerNanos;

        Request(GenerationRequest request, TokenListener listener) {
            this.request = request;
            this.listener = listener;
            this.statistics = new StatisticsCollector(request.prompt().length);
            this.start = before + request.prompt().length;
            this.speculating = request.speculate() ? drafter : null;
            boolean isGreedy = request.sampling().isGreedy();
            if (isGreedy) {
                verifier = greedy;
            } else {
                long seed =
                        request.seed().orElseGet(() -> config.seed().orElseGet(ThreadLocalRandom.current()::nextLong));
                sampling.begin(request.sampling(), seed);
                verifier = sampling;
            }
            ExpectedOutput expected = verifier.expected();
            this.planner = planners.of(expected);
            this.step = new RoundStep(target, planner, speculating, statistics, tree, expected.tokensOnly());
            target.expect(expected);
            if (speculating != null) {
                speculating.drawBy(isGreedy ? null : sampling.draft());
            }
        }

        GenerationResult run() {
            KvBudget.Lease lease =
                    memory.lease(start, (int) Math.min(capacity(), (long) start + request.maxNewTokens()));
            if (lease == null) {
                return new GenerationResult(new int[0], FinishReason.STOPPED, statistics.finish(0));
            }
            boolean isGreedy = request.sampling().isGreedy();
            boolean completed = false;
            planner.begin(ledger.borrow(isGreedy));
            try (lease;
                    Rounds.Turns turns = rounds.join()) {
                history.append(request.prompt());
                generate(turns, lease);
                completed = true;
            } finally {
                ledger.give(isGreedy, planner.end());
                if (!completed) {
                    recover();
                }
            }
            RequestStatistics finished = statistics.finish(history.length() - start);
            if (config.stats() == PrismConfig.Stats.LOG) {
                LOG.info("{}", finished.summary());
            }
            return new GenerationResult(history.copy(start), Objects.requireNonNull(reason), finished);
        }

        private void generate(Rounds.Turns turns, KvBudget.Lease lease) {
            long begin = System.nanoTime();
            if (speculating != null && !speculating.isOff() && speculating.length() < target.length()) {
                // It was not told of requests without speculation, and can only learn of them from another pass.
                target.truncate(speculating.length());
            }
            PassOutput output = prefill(turns);
            statistics.prefill(System.nanoTime() - begin);
            if (reason == null && request.maxNewTokens() == 0) {
                reason = FinishReason.MAX_TOKENS;
            }
            if (reason == null && history.length() >= capacity()) {
                reason = FinishReason.CONTEXT_FULL;
            }
            if (reason != null) {
                return;
            }
            if (output == null) {
                // Everything is in the caches, but the logits after it are gone: the last token is run again.
                truncateCaches(history.length() - 1);
            } else {
                emit(verifier.choose(output, output.rows() - 1, history.length()));
            }
            turns.endPrompt();
            while (reason == null) {
                round(turns);
                if (reason == null && (Thread.currentThread().isInterrupted() || !lease.cover(history.length() + 1))) {
                    reason = FinishReason.STOPPED;
                }
            }
        }

        /** Runs what the caches lack; null if they lack nothing. */
        private @Nullable PassOutput prefill(Rounds.Turns turns) {
            PassOutput output = null;
            while (target.length() < history.length()) {
                int from = target.length();
                step.prompt(history.tokens(), from, history.length() - from);
                if (interrupted(output) || !turns.perform(step)) {
                    reason = FinishReason.STOPPED;
                    return output;
                }
                output = step.output();
                if (speculating != null) {
                    int count = step.rows();
                    for (int i = 0; i < count; i++) {
                        committed[i] = history.tokens()[from + i];
                        committedRows[i] = i;
                    }
                    speculating.accept(committed, committedRows, count, output, planner.isPaused());
                }
            }
            return output;
        }

        private static boolean interrupted(@Nullable PassOutput output) {
            return output != null && Thread.currentThread().isInterrupted();
        }

        private void round(Rounds.Turns turns) {
            long begin = System.nanoTime();
            listenerNanos = 0;
            int position = history.length() - 1;
            int wanted = Math.min(request.maxNewTokens() - (history.length() - start), capacity() - history.length());
            tree.reset(history.last());
            step.round(wanted - 1, capacity() - position);
            if (speculating != null && !step.isDraftedByGroup()) {
                step.plan(turns.sessions());
                if (step.budget() != null) {
                    step.propose();
                }
            }
            long drafted = System.nanoTime();
            if (!turns.perform(step)) {
                reason = FinishReason.STOPPED;
                return;
            }
            long verified = System.nanoTime();
            PassOutput output = step.output();
            Verdict verdict = verifier.verify(tree, output, position);
            int emitted = emit(verdict);
            // Of the root and the accepted nodes, those before or at the last token of the history are committed.
            int used = Math.min(verdict.count(), 1 + emitted);
            target.commit(verdict.path(), used);
            long other = System.nanoTime();
            tellDrafter(verdict.path(), used, output, step.budget() == null || tree.size() == 1);
            long ownDraft = drafted - begin + System.nanoTime() - other;
            account(verdict, used, emitted, ownDraft, step.begunNanos() - drafted, other - verified - listenerNanos);
        }

        private void account(Verdict verdict, int used, int emitted, long ownDraft, long waitNanos, long otherNanos) {
            int tokens = emitted + (reason == FinishReason.END_TOKEN ? 1 : 0);
            RoundCost cost = step.cost();
            long draftNanos = ownDraft + step.draftNanos();
            statistics.round(
                    tree,
                    verdict,
                    used,
                    tokens,
                    new RoundTimes(draftNanos, step.passNanos(), waitNanos, otherNanos, cost.plain()));
            double charged = ownDraft + (step.isDrafted() ? cost.draftOfOne() : 0);
            double catchUp = speculating == null ? 0 : Math.min(charged, speculating.takeCatchUpNanos());
            planner.finished(
                    step.budget(), cost.plain(), tokens, charged, catchUp, cost.passOf(tree.size()), otherNanos);
        }

        private void tellDrafter(int[] path, int count, PassOutput output, boolean later) {
            if (speculating == null) {
                return;
            }
            for (int i = 0; i < count; i++) {
                committed[i] = tree.token(path[i]);
            }
            speculating.accept(committed, path, count, output, later);
        }

        /** Emits accepted tokens and the bonus token until something ends the request; gives how many were emitted. */
        private int emit(Verdict verdict) {
            int emitted = 0;
            for (int i = 1; i < verdict.count() && reason == null; i++) {
                emitted += emit(tree.token(verdict.path()[i]));
            }
            return reason == null ? emitted + emit(verdict.bonusToken()) : emitted;
        }

        /** Applies the stop rules to the next token of the text; gives 1 if it was emitted, 0 if it is an end token. */
        private int emit(int token) {
            planner.token(token);
            if (request.endToken().test(token)) {
                statistics.endToken();
                reason = FinishReason.END_TOKEN;
                return 0;
            }
            history.append(token);
            long begin = System.nanoTime();
            boolean more = listener.onToken(token);
            listenerNanos += System.nanoTime() - begin;
            if (!more) {
                reason = FinishReason.STOPPED;
            } else if (history.length() - start >= request.maxNewTokens()) {
                reason = FinishReason.MAX_TOKENS;
            } else if (history.length() >= capacity()) {
                reason = FinishReason.CONTEXT_FULL;
            }
            return 1;
        }

        /** After a failure: brings the session back to what the listener has seen. */
        private void recover() {
            if (history.length() == start) {
                history.truncate(before);
            }
            planner.truncated();
            try {
                truncateCaches(history.length());
            } catch (RuntimeException | Error e) {
                broken = e;
                LOG.warn("The target failed to go back to an earlier state; this session is of no more use", e);
            }
        }
    }
}
