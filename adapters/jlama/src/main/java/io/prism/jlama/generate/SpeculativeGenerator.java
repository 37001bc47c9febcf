package io.prism.jlama.generate;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.functions.Generator;
import com.github.tjake.jlama.safetensors.prompt.PromptContext;
import com.github.tjake.jlama.safetensors.tokenizer.Tokenizer;
import io.prism.config.PrismConfig;
import io.prism.decode.DecodingSession;
import io.prism.decode.FinishReason;
import io.prism.decode.GenerationRequest;
import io.prism.decode.GenerationResult;
import io.prism.decode.RequestStatistics;
import io.prism.decode.SpeculativeDecoder;
import io.prism.jlama.internals.ModelMembers;
import io.prism.spi.PrismException;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CancellationException;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Jlama's {@code generate()} on a {@link SpeculativeDecoder}. Thread-safe: requests of different sessions run at once,
 * those of one session one after the other.
 *
 * <p>Differs from Jlama's own where that is mistaken: the first token sampled is checked for the end of the text and
 * counted like any other; a session's position counts its prompts as well as what was generated. A prompt that begins with
 * all that was said in its session reuses the session's KV cache, any other continues after it. If what was said leaves no
 * room for the prompt below the limit of tokens, the session begins anew, with a warning.
 *
 * <p>A request is cancelled by a {@link CancellationException} from its callback, which is thrown on, or by an interrupt of
 * its thread, after which it returns what there is. Both give back its KV cache at the latest when its pass is over.
 */
final class SpeculativeGenerator implements AutoCloseable {
    /**
     * Conversations that keep their KV cache between requests, and those whose tokens are kept: enough for a few people
     * talking in turn. A KV cache of a 1B model takes 64 KiB a token, a remembered token 4 bytes.
     */
    private static final int MOST_CACHED = 4;

    private static final long MOST_CACHED_BYTES = 1L << 30;
    private static final int MOST_REMEMBERED = 1024;

    private static final Logger LOG = LoggerFactory.getLogger(SpeculativeGenerator.class);

    private final AbstractModel model;
    private final ModelMembers members;
    private final SpeculativeDecoder decoder;
    private final PrismConfig config;
    private final RequestReports reports;
    private final Set<Integer> endTokens;
    private final Conversations conversations = new Conversations(MOST_CACHED, MOST_CACHED_BYTES, MOST_REMEMBERED);

    SpeculativeGenerator(
            AbstractModel model,
            ModelMembers members,
            SpeculativeDecoder decoder,
            PrismConfig config,
            RequestReports reports) {
        this.model = model;
        this.members = members;
        this.decoder = decoder;
        this.config = config;
        this.reports = reports;
        this.endTokens = Set.copyOf(model.getConfig().eosTokens);
    }

    /**
     * As {@link Generator#generate}.
     *
     * @param ntokens the position at which generation ends, prompt included; at most the context length counts
     * @throws IllegalArgumentException if the prompt alone reaches {@code ntokens} or the context length
     * @throws CancellationException if the callback threw it, or the thread was interrupted while the session was in use
     */
    Generator.Response generate(
            UUID sessionId,
            PromptContext promptContext,
            float temperature,
            int ntokens,
            BiConsumer<String, Float> onTokenWithTimings) {
        int[] prompt = model.encodePrompt(promptContext);
        int promptLength = members.addBosToken(model) ? prompt.length - 1 : prompt.length;
        int contextLength = model.getConfig().contextLength;
        if (promptLength >= contextLength || promptLength >= ntokens) {
            throw new IllegalArgumentException("Prompt exceeds max tokens");
        }
        int limit = Math.min(ntokens, contextLength);
        Tokenizer tokenizer = model.getTokenizer();
        Conversation conversation = conversations.acquire(sessionId);
        try {
            Answer answer = new Answer(
                    new TokenText(tokenizer, members),
                    tokenizer.getModel()::isSpecialToken,
                    onTokenWithTimings,
                    promptLength);
            GenerationResult result = run(conversation, prompt, temperature, limit, answer);
            long end = System.nanoTime();
            boolean ended = result.reason() == FinishReason.END_TOKEN;
            Generator.Response response = new Generator.Response(
                    answer.text(),
                    answer.textWithSpecialTokens(),
                    ended ? Generator.FinishReason.STOP_TOKEN : Generator.FinishReason.MAX_TOKENS,
                    promptLength,
                    result.tokens().length + (ended ? 1 : 0),
                    answer.promptMillis(end),
                    answer.generateMillis(end));
            reports.report(sessionId, result.statistics());
            return members.postProcessResponse(model, promptContext, response);
        } finally {
            conversations.release(conversation);
        }
    }

    /** Whose KV caches are kept or in use. */
    Conversations conversations() {
        return conversations;
    }

    /** Statistics of the session's last request, as long as the session is remembered. */
    Optional<RequestStatistics> lastStatistics(UUID sessionId) {
        return conversations.find(sessionId).flatMap(Conversation::lastStatistics);
    }

    private GenerationResult run(Conversation conversation, int[] prompt, float temperature, int limit, Answer answer) {
        int[] added = conversation.isContinuedBy(prompt)
                ? Arrays.copyOfRange(prompt, conversation.length(), prompt.length)
                : prompt;
        if (conversation.length() > 0 && conversation.length() + added.length > limit) {
            LOG.warn(
                    "Session {} begins anew: {} tokens said so far and {} of the prompt exceed the limit of {} tokens",
                    conversation.id,
                    conversation.length(),
                    added.length,
                    limit);
            conversation.restart();
            added = prompt;
        }
        if (conversation.length() + added.length == 0) {
            throw new PrismException("The prompt has no tokens, expected at least one. Ask with some text.");
        }
        // a position is spent on every token but the last one sampled, which nothing follows
        int most = limit - conversation.length() - added.length + 1;
        boolean ended = false;
        DecodingSession session = conversation.session().orElse(null);
        int[] run = session == null ? concatenate(conversation.history(), added) : added;
        if (session == null) {
            session = decoder.openSession();
        }
        conversation.begin(session);
        try {
            GenerationRequest request = new GenerationRequest(
                    run, most, config.sampling(temperature), config.seed(), endTokens::contains, true);
            GenerationResult result = session.generate(request, answer);
            conversation.advance(session, added, result.tokens(), result.statistics());
            ended = true;
            if (result.reason() == FinishReason.STOPPED) {
                conversation.drop(); // interrupted: what was said is remembered, its memory is given back
            }
            return result;
        } finally {
            conversation.end();
            if (!ended) {
                // what a failed request left in the session is unknown; what was said before it is not lost
                if (conversation.isCached()) {
                    conversation.drop();
                } else {
                    session.close();
                }
            }
        }
    }

    private static int[] concatenate(int[] first, int[] second) {
        int[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    @Override
    public void close() {
        conversations.close();
    }
}
