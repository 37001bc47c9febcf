package io.prism.cli.testing;

import io.prism.kernels.KernelSelection;
import io.prism.kernels.Kernels;
import io.prism.spi.HostedModel;
import io.prism.spi.ModelHost;
import io.prism.spi.PrismException;
import io.prism.spi.TargetModel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/**
 * Loads the same little model from every folder that exists. Its tokens are bytes; it goes through the alphabet again and
 * again, so that n-gram look-up finds everything after the first round.
 */
public final class FakeHost implements ModelHost {
    private static final int STOCK_NANOS_PER_TOKEN = 1_000_000;

    @Override
    public String name() {
        return "fake";
    }

    @Override
    public HostedModel load(String model, LoadOptions options) {
        Path folder = Path.of(model);
        if (!Files.isDirectory(folder)) {
            throw new PrismException(model + " does not exist: expected a folder.");
        }
        return new FakeModel(
                folder,
                new AlphabetTarget(),
                KernelSelection.select("scalar", FakeHost.class.getClassLoader())
                        .provider()
                        .open(1));
    }

    private record FakeModel(Path folder, TargetModel target, Kernels kernels) implements HostedModel {
        @Override
        public String name() {
            return "fake-model";
        }

        @Override
        public String stockEngine() {
            return "fake stock";
        }

        @Override
        public Prompt prompt(List<String> turns) {
            String text = "<" + String.join("|", turns) + ">";
            return new Prompt(text, encode(text));
        }

        @Override
        public int[] encode(String text) {
            byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
            int[] tokens = new int[bytes.length];
            for (int i = 0; i < tokens.length; i++) {
                tokens[i] = bytes[i];
            }
            return tokens;
        }

        @Override
        public boolean isEndToken(int token) {
            return token == 0;
        }

        @Override
        public TokenDecoder newTokenDecoder() {
            return token -> String.valueOf((char) token);
        }

        @Override
        public StockRun generateStock(Prompt prompt, float temperature, int maxNewTokens, Consumer<String> onText) {
            StringBuilder text = new StringBuilder();
            int last = prompt.tokens()[prompt.tokens().length - 1];
            for (int i = 0; i < maxNewTokens; i++) {
                last = AlphabetTarget.next(last);
                text.append((char) last);
                onText.accept(String.valueOf((char) last));
            }
            return new StockRun(
                    text.toString(),
                    maxNewTokens,
                    maxNewTokens - 1,
                    (long) prompt.tokens().length * STOCK_NANOS_PER_TOKEN,
                    (long) maxNewTokens * STOCK_NANOS_PER_TOKEN);
        }

        @Override
        public void close() {
            target.close();
            kernels.close();
        }
    }
}
