package io.prism.jlama.host;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.safetensors.prompt.PromptContext;
import com.github.tjake.jlama.safetensors.prompt.PromptSupport;
import io.prism.jlama.generate.TokenText;
import io.prism.jlama.internals.ModelMembers;
import io.prism.kernels.Kernels;
import io.prism.spi.HostedModel;
import io.prism.spi.TargetModel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** A model that Jlama has loaded. */
final class JlamaHostedModel implements HostedModel {
    private final String name;
    private final Path folder;
    private final AbstractModel model;
    private final Kernels kernels;
    private final TargetModel target;
    private final String stockEngine;
    private final Set<Integer> endTokens;
    private final ModelMembers members = new ModelMembers();

    JlamaHostedModel(
            String name, Path folder, AbstractModel model, Kernels kernels, TargetModel target, String stockEngine) {
        this.name = name;
        this.folder = folder;
        this.model = model;
        this.kernels = kernels;
        this.target = target;
        this.stockEngine = stockEngine;
        this.endTokens = Set.copyOf(model.getConfig().eosTokens);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Path folder() {
        return folder;
    }

    @Override
    public TargetModel target() {
        return target;
    }

    @Override
    public Kernels kernels() {
        return kernels;
    }

    @Override
    public String stockEngine() {
        return stockEngine;
    }

    @Override
    public Prompt prompt(List<String> turns) {
        PromptContext context = model.promptSupport()
                .map(support -> render(support, turns))
                .orElseGet(() -> PromptContext.of(turns.getLast()));
        return new Prompt(context.getPrompt(), model.encodePrompt(context));
    }

    private static PromptContext render(PromptSupport support, List<String> turns) {
        PromptSupport.Builder builder = support.builder();
        for (int i = 0; i < turns.size(); i++) {
            if (i % 2 == 0) {
                builder.addUserMessage(turns.get(i));
            } else {
                builder.addAssistantMessage(turns.get(i));
            }
        }
        return builder.build();
    }

    @Override
    public int[] encode(String text) {
        return Arrays.stream(model.getTokenizer().encode(text))
                .mapToInt(Math::toIntExact)
                .toArray();
    }

    @Override
    public boolean isEndToken(int token) {
        return endTokens.contains(token);
    }

    @Override
    public TokenDecoder newTokenDecoder() {
        TokenText text = new TokenText(model.getTokenizer(), members);
        return token -> model.getTokenizer().getModel().isSpecialToken(token) ? "" : text.append(token);
    }

    /** One at a time: Jlama's sessions share buffers. */
    @Override
    public synchronized StockRun generateStock(
            Prompt prompt, float temperature, int maxNewTokens, Consumer<String> onText) {
        try {
            return new StockDecoding(model).run(prompt, temperature, maxNewTokens, onText);
        } finally {
            // Jlama keeps every session's keys and values until the model is closed
            members.kvBufferCache(model).close();
        }
    }

    @Override
    public void close() {
        target.close();
        model.close();
        kernels.close();
    }
}
