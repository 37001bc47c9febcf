package io.prism.jlama.host;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.functions.Generator;
import com.github.tjake.jlama.safetensors.prompt.PromptContext;
import io.prism.spi.HostedModel.Prompt;
import io.prism.spi.HostedModel.StockRun;
import io.prism.spi.PrismException;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Runs Jlama's own {@code generate} once and tells from its callback and response what was done in what time. */
final class StockDecoding {
    private final AbstractModel model;
    private int pieces;
    private long firstPiece;
    private long callbackNanos;

    StockDecoding(AbstractModel model) {
        this.model = model;
    }

    /** @throws PrismException if the prompt and the answer don't fit, or Jlama fails */
    StockRun run(Prompt prompt, float temperature, int maxNewTokens, Consumer<String> onText) {
        // a position for each token but the last one, which nothing follows
        int limit = prompt.tokens().length + maxNewTokens - 1;
        long start = System.nanoTime();
        Generator.Response response;
        try {
            response = model.generate(
                    UUID.randomUUID(),
                    PromptContext.of(prompt.text()),
                    temperature,
                    limit,
                    (piece, millis) -> onPiece(piece, onText));
        } catch (RuntimeException e) {
            throw new PrismException(
                    "Stock Jlama failed at a prompt of " + prompt.tokens().length + " tokens with " + maxNewTokens
                            + " to generate: " + e,
                    e);
        }
        long end = System.nanoTime();
        boolean ended = response.finishReason == Generator.FinishReason.STOP_TOKEN;
        int passes = response.generatedTokens;
        int tokens = passes + 1 - (ended ? 1 : 0);
        // special tokens have no callback; if the first one was such, only Jlama's own clock knows when it came
        boolean sawFirst = pieces == tokens;
        long promptNanos = sawFirst ? firstPiece - start : TimeUnit.MILLISECONDS.toNanos(response.promptTimeMs);
        long decodeNanos = sawFirst
                ? end - firstPiece - callbackNanos
                : TimeUnit.MILLISECONDS.toNanos(response.generateTimeMs) - callbackNanos;
        return new StockRun(response.responseText, tokens, passes, promptNanos, decodeNanos);
    }

    private void onPiece(String piece, Consumer<String> onText) {
        long now = System.nanoTime();
        if (pieces++ == 0) {
            firstPiece = now;
        }
        onText.accept(piece);
        callbackNanos += System.nanoTime() - now;
    }
}
