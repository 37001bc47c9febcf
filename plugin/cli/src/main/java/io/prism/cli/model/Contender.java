package io.prism.cli.model;

import io.prism.config.PrismConfig;
import io.prism.decode.DecodingSession;
import io.prism.decode.GenerationRequest;
import io.prism.decode.GenerationResult;
import io.prism.decode.SpeculativeDecoder;
import io.prism.spi.HostedModel;
import io.prism.spi.HostedModel.Prompt;
import io.prism.spi.HostedModel.StockRun;
import io.prism.spi.HostedModel.TokenDecoder;
import io.prism.verify.SamplingParameters;
import java.util.OptionalLong;
import java.util.function.Consumer;

/** A way of decoding that is compared with others on the same prompts. */
public sealed interface Contender extends AutoCloseable {

    /** What proposes, for reports: {@code stock} and {@code none} propose nothing. */
    String drafter();

    /** Size of the token trees, for reports; empty if there are none. */
    String tree();

    /**
     * Generates in a session of its own.
     *
     * @param onText receives text as it comes; its time is not measured
     */
    Decoded run(Prompt prompt, int maxNewTokens, SamplingParameters sampling, long seed, Consumer<String> onText);

    @Override
    void close();

    /** The engine's own decoding. It knows temperature, but neither top-p, top-k nor seed. */
    record Stock(HostedModel model) implements Contender {
        @Override
        public String drafter() {
            return "stock";
        }

        @Override
        public String tree() {
            return "";
        }

        @Override
        public Decoded run(
                Prompt prompt, int maxNewTokens, SamplingParameters sampling, long seed, Consumer<String> onText) {
            StockRun run = model.generateStock(prompt, sampling.temperature(), maxNewTokens, onText);
            return new Decoded(
                    new int[0],
                    run.text(),
                    run.tokens(),
                    run.passes(),
                    run.passes(),
                    new int[0],
                    new int[0],
                    new int[0],
                    run.promptNanos(),
                    run.decodeNanos(),
                    0,
                    run.decodeNanos());
        }

        @Override
        public void close() {}
    }

    /**
     * Our decoding, plain or speculative.
     *
     * @param drafter {@code none} for plain decoding
     */
    record Ours(HostedModel model, SpeculativeDecoder decoder, String drafter, String tree) implements Contender {
        /** Whether nothing proposes. */
        public boolean isPlain() {
            return drafter.equals(PrismConfig.NO_DRAFTER);
        }

        @Override
        public Decoded run(
                Prompt prompt, int maxNewTokens, SamplingParameters sampling, long seed, Consumer<String> onText) {
            TokenDecoder decoderOfTokens = model.newTokenDecoder();
            StringBuilder text = new StringBuilder();
            GenerationRequest request = new GenerationRequest(
                    prompt.tokens(), maxNewTokens, sampling, OptionalLong.of(seed), model::isEndToken, true);
            try (DecodingSession session = decoder.openSession()) {
                GenerationResult result = session.generate(request, token -> {
                    String piece = decoderOfTokens.decode(token);
                    text.append(piece);
                    onText.accept(piece);
                    return true;
                });
                return Decoded.of(result.tokens(), text.toString(), result.statistics());
            }
        }

        @Override
        public void close() {
            decoder.close();
        }
    }
}
