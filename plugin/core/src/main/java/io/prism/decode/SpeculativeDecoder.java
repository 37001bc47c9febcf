package io.prism.decode;

import io.prism.config.PrismConfig;
import io.prism.kernels.Kernels;
import io.prism.spi.Drafter;
import io.prism.spi.HiddenStateRequest;
import io.prism.spi.TargetModel;
import io.prism.spi.TargetSession;
import io.prism.tree.CostModel;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decodes with a target and, where it pays, a drafter. One per loaded model; thread-safe: any number of sessions may
 * generate at once.
 *
 * <p><b>Lossless.</b> The text equals that of plain decoding through the same target, bit for bit, at temperature 0
 * and, for the same seed, above it. See {@link io.prism.verify.Verifier}.
 *
 * <p><b>Many at once.</b> Requests that run at the same time share passes of the target and of the draft model, round by
 * round ({@link Rounds}); each keeps to its own thread otherwise. Their KV caches are bounded by {@code prism.kvmemory}:
 * a request that finds no room waits. An interrupt of its thread, or an exception from its listener, ends a request at
 * the latest when its pass is over.
 *
 * <p><b>Never much slower.</b> With {@code prism.tree=auto} a round speculates only if that is expected to save time,
 * by the measured cost of passes and the measured acceptance of the drafter, both shared by all sessions; see {@link
 * RoundPlanner}. A drafter that fails costs speed only; see {@link GuardedDrafter}.
 */
public final class SpeculativeDecoder implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SpeculativeDecoder.class);

    /** The longest a drafter's call may take unless told otherwise. */
    private static final Duration DRAFTER_TIMEOUT = Duration.ofSeconds(1);

    /** The deepest trees whose acceptance is told apart. */
    private static final int STEPS = RoundPlanner.AUTO_STEPS;

    private final TargetModel target;
    private final Optional<Drafter> drafter;
    private final HiddenStateRequest states;
    private final Kernels kernels;
    private final PrismConfig config;
    private final Duration drafterTimeout;
    private final PassCosts costs;
    private final Rounds rounds;
    private final KvBudget memory;
    private final Learned greedy = Learned.nothing(STEPS);
    private final Learned sampled = Learned.nothing(STEPS);
    private final ExperienceLedger ledger = new ExperienceLedger();
    private final AtomicInteger requests = new AtomicInteger();
    private final @Nullable StartupMeasurement measurement;

    /**
     * Takes a loaded model into use and begins to measure it in the background. Closing the decoder closes the drafter,
     * but neither target nor kernels.
     *
     * @param drafter what proposes; empty for plain decoding
     */
    public SpeculativeDecoder(TargetModel target, Optional<Drafter> drafter, Kernels kernels, PrismConfig config) {
        this(target, drafter, kernels, config, DRAFTER_TIMEOUT);
    }

    /**
     * The same for a drafter that may take longer than others.
     *
     * @param drafterTimeout the longest a drafter's call may take before it counts as failed
     */
    public SpeculativeDecoder(
            TargetModel target,
            Optional<Drafter> drafter,
            Kernels kernels,
            PrismConfig config,
            Duration drafterTimeout) {
        this(target, drafter, kernels, config, drafterTimeout, true);
    }

    SpeculativeDecoder(
            TargetModel target,
            Optional<Drafter> drafter,
            Kernels kernels,
            PrismConfig config,
            Duration drafterTimeout,
            boolean measure) {
        this.target = target;
        this.kernels = kernels;
        this.config = config;
        this.drafterTimeout = drafterTimeout;
        this.costs = PassCosts.of(target);
        this.rounds = new Rounds(target, costs);
        Optional<HiddenStateRequest> wanted = drafter.flatMap(SpeculativeDecoder::statesFor);
        this.drafter = wanted.isPresent() ? drafter : Optional.empty();
        this.memory = new KvBudget(config.kvBytes(), kvBytesPerToken());
        this.states = wanted.orElse(HiddenStateRequest.NONE);
        if (measure && this.drafter.isPresent() && target.maxTreeRows() > 1) {
            measurement = new StartupMeasurement(target, states, costs, () -> requests.get() > 0);
            measurement.start();
        } else {
            measurement = null;
        }
    }

    /** Of a request's caches; 0 if the target does not say, as nothing can be bounded then. */
    private long kvBytesPerToken() {
        long targets = target.kvBytesPerToken();
        return targets == 0
                ? 0
                : targets + drafter.map(SpeculativeDecoder::kvBytesPerToken).orElse(0L);
    }

    private static long kvBytesPerToken(Drafter drafter) {
        try {
            return drafter.kvBytesPerToken();
        } catch (Throwable t) { // a drafter's failure costs speed only
            LOG.warn("A drafter failed to say how much memory its sessions take", t);
            return 0;
        }
    }

    private static Optional<HiddenStateRequest> statesFor(Drafter drafter) {
        try {
            return Optional.of(drafter.hiddenStates());
        } catch (Throwable t) { // a drafter's failure costs speed only
            LOG.warn("A drafter failed to say which hidden states it needs; decoding goes on plainly", t);
            return Optional.empty();
        }
    }

    /** Opens a conversation with an empty history. */
    public DecodingSession openSession() {
        TargetSession session = target.openSession(states);
        int hidden = target.description().hiddenSize();
        int vocabulary = target.description().vocabularySize();
        GuardedDrafter guarded = drafter.map(
                        it -> new GuardedDrafter(it, states, hidden, vocabulary, drafterTimeout.toNanos()))
                .orElse(null);
        RoundPlanners planners =
                new RoundPlanners(planner(greedy, true), planner(sampled, true), planner(sampled, false));
        return new DecodingSession(
                session, guarded, planners, ledger, rounds, memory, kernels, vocabulary, config, requests);
    }

    private RoundPlanner planner(Learned learned, boolean tokensOnly) {
        return new RoundPlanner(costs.of(tokensOnly), learned, config.tree(), target.verifiesTrees());
    }

    /** What passes that give logits cost, as known now. */
    public CostModel costModel() {
        return costs.logits();
    }

    /** How passes were shared by requests that ran at the same time. */
    public BatchStatistics batches() {
        return rounds.statistics();
    }

    /**
     * Waits until the background measurement is over; for benchmarks, which would otherwise time a target that is not
     * warm. It only goes on while no request runs.
     *
     * @return false after the time-out
     */
    public boolean awaitMeasured(Duration timeout) throws InterruptedException {
        StartupMeasurement running = measurement;
        return running == null || running.await(timeout);
    }

    /** Ends the measurement and releases the drafter; sessions must be closed first. */
    @Override
    public void close() {
        if (measurement != null) {
            measurement.close();
        }
        drafter.ifPresent(it -> {
            try {
                it.close();
            } catch (Throwable t) { // a drafter's failure costs speed only
                LOG.warn("A drafter failed to close", t);
            }
        });
    }
}
