package io.prism.decode;

import io.prism.config.PrismConfig;
import io.prism.kernels.Kernels;
import io.prism.spi.PassOutput;
import io.prism.spi.PrismException;
import io.prism.spi.TargetDescription;
import io.prism.spi.TargetSession;
import io.prism.tree.TokenTree;
import io.prism.verify.GreedyVerifier;
import io.prism.verify.SamplingVerifier;
import io.prism.verify.Verdict;
import io.prism.verify.Verifier;
import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One conversation: its history (prompts and generated tokens) and what target and drafter keep of it. Not thread-safe.
 */
public final class DecodingSession implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DecodingSession.class);

    /** Tokens per prefill pass: large enough to be bound by arithmetic, small enough to bound scratch memory. */
    private static final int PREFILL_BATCH = 512;

    private final TargetSession target;
    private final PrismConfig config;
    private final GreedyVerifier greedy;
    private final SamplingVerifier sampling;
    private final History history = new History();
    private final TokenTree tree = new TokenTree(0);

    DecodingSession(TargetSession target, TargetDescription description, Kernels kernels, PrismConfig config) {
        this.target = target;
        this.config = config;
        this.greedy = new GreedyVerifier(kernels, description.vocabularySize());
        this.sampling = new SamplingVerifier(kernels, description.vocabularySize());
    }

    /** Tokens of the history: prompts and generated tokens, the last sampled one included. */
    public int length() {
        return history.length();
    }

    /** The most tokens the history can hold. */
    public int capacity() {
        return target.capacity();
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

    /** Forgets all tokens from {@code length} on. */
    public void truncate(int length) {
        if (length < 0 || length > history.length()) {
            throw new IllegalArgumentException(
                    "Can't truncate a history of " + history.length() + " tokens to " + length);
        }
        history.truncate(length);
        if (target.length() > length) {
            target.truncate(length);
        }
    }

    /**
     * Appends the prompt to the history and generates.
     *
     * @param listener sees every generated token as soon as it is certain
     * @throws PrismException if the prompt does not fit, or there is nothing to continue
     */
    public GenerationResult generate(GenerationRequest request, TokenListener listener) {
        int[] prompt = request.prompt();
        if (history.length() + prompt.length > capacity()) {
            throw new PrismException("A prompt of " + prompt.length + " tokens after a history of " + history.length()
                    + " does not fit a context of " + capacity() + " tokens. Shorten it or start a new session.");
        }
        if (history.length() + prompt.length == 0) {
            throw new PrismException("Nothing to continue: history and prompt are empty. Give at least one token.");
        }
        history.append(prompt);
        int start = history.length();
        Verifier verifier = greedy;
        if (!request.sampling().isGreedy()) {
            sampling.begin(
                    request.sampling(),
                    request.seed().orElseGet(() -> config.seed().orElseGet(ThreadLocalRandom.current()::nextLong)));
            verifier = sampling;
        }
        StatisticsCollector statistics = new StatisticsCollector(prompt.length);
        FinishReason reason = run(request, listener, verifier, start, statistics);
        RequestStatistics finished = statistics.finish(history.length() - start, 0);
        if (config.stats() == PrismConfig.Stats.LOG) {
            LOG.info("{}", finished.summary());
        }
        return new GenerationResult(history.copy(start), reason, finished);
    }

    private FinishReason run(
            GenerationRequest request,
            TokenListener listener,
            Verifier verifier,
            int start,
            StatisticsCollector statistics) {
        long begin = System.nanoTime();
        PassOutput output = null;
        int last = 0;
        while (target.length() < history.length()) {
            int count = Math.min(PREFILL_BATCH, history.length() - target.length());
            output = target.prefill(history.tokens(), target.length(), count);
            last = count - 1;
        }
        statistics.prefill(System.nanoTime() - begin);
        if (request.maxNewTokens() == 0) {
            return FinishReason.MAX_TOKENS;
        }
        if (history.length() >= capacity()) {
            return FinishReason.CONTEXT_FULL;
        }
        FinishReason reason = null;
        if (output == null) {
            target.truncate(history.length() - 1);
        } else {
            int token = verifier.choose(output, last, history.length());
            reason = emit(token, request, listener, start, statistics);
        }
        while (reason == null) {
            long roundStart = System.nanoTime();
            tree.reset(history.last());
            PassOutput pass = target.verify(tree);
            long verified = System.nanoTime();
            Verdict verdict = verifier.verify(tree, pass, history.length() - 1);
            target.commit(verdict.path(), 1);
            long other = System.nanoTime() - verified;
            reason = emit(verdict.bonusToken(), request, listener, start, statistics);
            statistics.round(tree, verdict, 1, 1, 0, verified - roundStart, other);
        }
        return reason;
    }

    private FinishReason emit(
            int token, GenerationRequest request, TokenListener listener, int start, StatisticsCollector statistics) {
        if (request.endToken().test(token)) {
            statistics.endToken();
            return FinishReason.END_TOKEN;
        }
        history.append(token);
        if (!listener.onToken(token)) {
            return FinishReason.STOPPED;
        }
        if (history.length() - start >= request.maxNewTokens()) {
            return FinishReason.MAX_TOKENS;
        }
        return history.length() >= capacity() ? FinishReason.CONTEXT_FULL : null;
    }

    @Override
    public void close() {
        target.close();
    }
}
