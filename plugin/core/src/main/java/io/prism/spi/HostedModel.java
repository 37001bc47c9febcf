package io.prism.spi;

import io.prism.kernels.Kernels;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/** A model loaded by a {@link ModelHost}: the target, its tokenizer and the engine's own decoding to compare with. */
public interface HostedModel extends AutoCloseable {

    /** Folder name or id. */
    String name();

    /** Folder it was loaded from. */
    Path folder();

    TargetModel target();

    /** What the target computes with; closed with this model. */
    Kernels kernels();

    /** For people: the engine and what its own decoding computes with, for instance {@code "Jlama 0.8.4, Panama"}. */
    String stockEngine();

    /**
     * Turns a conversation into a prompt with the model's chat template; without a template, the text of the last turn
     * as it is.
     *
     * @param turns user, assistant, user, .. in turn, the last a user's
     */
    Prompt prompt(List<String> turns);

    /** Tokens of plain text, with no template and no beginning token. */
    int[] encode(String text);

    /** Whether generation ends at this token. */
    boolean isEndToken(int token);

    /** A decoder that turns tokens into text, in order, once each. */
    TokenDecoder newTokenDecoder();

    /**
     * Generates with the engine's own decoding, untouched, in a session of its own.
     *
     * @param maxNewTokens stops after this many tokens, at least 1
     * @param onText receives text as it comes
     * @throws PrismException if the prompt does not fit
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
     * @param tokens tokens of the answer, an end token not counted
     * @param passes passes after the prompt's, one for each token but the first; that of an end token included
     * @param promptNanos time of the prompt, the first token included
     * @param decodeNanos time of the passes
     */
    record StockRun(String text, int tokens, int passes, long promptNanos, long decodeNanos) {}

    /** Turns tokens into text. Not thread-safe. */
    interface TokenDecoder {
        /** Text that became complete with this token; empty for special tokens and within a multi-byte character. */
        String decode(int token);
    }
}
