package io.prism.spi;

import java.util.List;
import java.util.function.Consumer;

/** A model loaded by a {@link ModelHost}: the target, its tokenizer and the engine's own decoding to compare with. */
public interface HostedModel extends AutoCloseable {

    /** Folder name or id. */
    String name();

    TargetModel target();

    /**
     * Turns a conversation into a prompt with the model's chat template; without a template, the text of the last turn
     * as it is.
     *
     * @param turns user, assistant, user, .. in turn, the last a user's
     */
    Prompt prompt(List<String> turns);

    /** Whether generation ends at this token. */
    boolean isEndToken(int token);

    /** A decoder that turns tokens into text, in order, once each. */
    TokenDecoder newTokenDecoder();

    /**
     * Generates with the engine's own decoding, untouched, in a session of its own.
     *
     * @param maxNewTokens stops after this many tokens
     * @param onText receives text as it comes
     */
    StockRun generateStock(Prompt prompt, float temperature, int maxNewTokens, Consumer<String> onText);

    @Override
    void close();

    /**
     * @param text what the engine's own generate call takes
     * @param tokens its tokens, as the engine feeds them, beginning token included
     */
    @SuppressWarnings("ArrayRecordComponent") // read only
    record Prompt(String text, int[] tokens) {}

    /**
     * @param text the answer
     * @param tokens tokens generated
     * @param promptNanos time of the prompt
     * @param decodeNanos time of generation after the prompt
     */
    record StockRun(String text, int tokens, long promptNanos, long decodeNanos) {}

    /** Turns tokens into text. Not thread-safe. */
    interface TokenDecoder {
        /** Text that became complete with this token; empty for special tokens and within a multi-byte character. */
        String decode(int token);
    }
}
