package io.prism.jlama.generate;

import io.prism.decode.TokenListener;
import java.util.concurrent.CancellationException;
import java.util.function.BiConsumer;
import java.util.function.IntPredicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The text of one request as its tokens come, passed on to the caller as Jlama does: special tokens only to the text that
 * keeps them; ms per prompt token with the first token, then the running mean of ms per generated token; exceptions of the
 * caller's callback swallowed, the first one logged as an error. Only a {@link CancellationException} goes on to the
 * caller: nothing else that Jlama's callers throw can mean that the rest of the answer is not wanted. Not thread-safe.
 */
final class Answer implements TokenListener {
    private static final Logger LOG = LoggerFactory.getLogger(Answer.class);
    private static final double NANOS_PER_MILLI = 1e6;

    private final TokenText decoder;
    private final IntPredicate special;
    private final BiConsumer<String, Float> callback;
    private final int promptLength;
    private final long startNanos = System.nanoTime();
    private final StringBuilder text = new StringBuilder();
    private final StringBuilder textWithSpecialTokens = new StringBuilder();
    private long firstTokenNanos;
    private int tokens;
    private boolean callbackFailed;

    Answer(TokenText decoder, IntPredicate special, BiConsumer<String, Float> callback, int promptLength) {
        this.decoder = decoder;
        this.special = special;
        this.callback = callback;
        this.promptLength = promptLength;
    }

    @Override
    public boolean onToken(int token) {
        float millisPerToken = millisPerToken(System.nanoTime());
        tokens++;
        String piece = decoder.append(token);
        textWithSpecialTokens.append(piece);
        if (special.test(token)) {
            return true;
        }
        text.append(piece);
        try {
            callback.accept(piece, millisPerToken);
        } catch (CancellationException e) {
            throw e;
        } catch (RuntimeException e) {
            report(e);
        }
        return true;
    }

    /** A reader that went away fails at every token: the first failure says it all. */
    private void report(RuntimeException e) {
        if (callbackFailed) {
            LOG.debug("The token callback failed at token {} of the answer too", tokens, e);
        } else {
            callbackFailed = true;
            LOG.error("The token callback failed at token {} of the answer; generation goes on", tokens, e);
        }
    }

    private float millisPerToken(long now) {
        if (tokens == 0) {
            firstTokenNanos = now;
            return Math.round((now - startNanos) / NANOS_PER_MILLI / Math.max(1, promptLength));
        }
        return (float) ((now - firstTokenNanos) / NANOS_PER_MILLI / tokens);
    }

    /** When the first token came; the end of the request if none did. */
    long promptMillis(long endNanos) {
        return Math.round(((tokens == 0 ? endNanos : firstTokenNanos) - startNanos) / NANOS_PER_MILLI);
    }

    long generateMillis(long endNanos) {
        return tokens == 0 ? 0 : Math.round((endNanos - firstTokenNanos) / NANOS_PER_MILLI);
    }

    String text() {
        return text.toString();
    }

    String textWithSpecialTokens() {
        return textWithSpecialTokens.toString();
    }
}
