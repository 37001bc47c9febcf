package io.prism.jlama.synthetic;

import io.prism.spi.PrismException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a synthetic model looks like. Heads have {@code hidden / heads} elements.
 *
 * @param modelType Hugging Face's {@code model_type}: llama, mistral, qwen2, granite, gemma, gemma2, mixtral or gpt2
 * @param hidden elements of a hidden state
 * @param mlpWidth elements between the MLP's projections; gpt2 always has {@code 4 hidden}
 * @param layers decoder layers
 * @param heads query heads
 * @param kvHeads key/value heads
 * @param vocabulary tokens
 * @param contextLength positions
 * @param tiedHead whether the head is the embedding; only llama, mistral, qwen2, granite and mixtral can be untied
 */
public record SyntheticShape(
        String modelType,
        int hidden,
        int mlpWidth,
        int layers,
        int heads,
        int kvHeads,
        int vocabulary,
        int contextLength,
        boolean tiedHead) {

    private static final Map<String, SyntheticShape> NAMED = new TreeMap<>(Map.of(
            "llama-3.2-1b", new SyntheticShape("llama", 2048, 8192, 16, 32, 8, 128256, 8192, true),
            "llama-3.2-3b", new SyntheticShape("llama", 3072, 8192, 28, 24, 8, 128256, 8192, true),
            "snakes-6m", new SyntheticShape("llama", 256, 768, 6, 4, 2, 4096, 1024, true),
            "tiny", new SyntheticShape("llama", 128, 256, 2, 4, 2, 512, 256, true)));

    public SyntheticShape {
        if (hidden < 1
                || mlpWidth < 1
                || layers < 1
                || heads < 1
                || kvHeads < 1
                || contextLength < 1
                || hidden % heads != 0
                || heads % kvHeads != 0) {
            throw new PrismException("Synthetic shape of hidden size " + hidden + ", MLP " + mlpWidth + ", " + layers
                    + " layers, " + heads + " heads, " + kvHeads + " key/value heads: all must be positive, the hidden"
                    + " size a multiple of the heads, the heads a multiple of the key/value heads");
        }
        if (vocabulary <= SyntheticTokenizer.MIN_VOCABULARY) {
            throw new PrismException("Synthetic vocabulary of " + vocabulary + " tokens: expected more than "
                    + SyntheticTokenizer.MIN_VOCABULARY);
        }
    }

    /**
     * A shape by name.
     *
     * @throws PrismException if there is none of that name
     */
    public static SyntheticShape named(String name) {
        SyntheticShape shape = NAMED.get(name);
        if (shape == null) {
            throw new PrismException("Unknown shape '" + name + "': expected one of " + names());
        }
        return shape;
    }

    /** Names for {@link #named}, in alphabetical order. */
    public static List<String> names() {
        return List.copyOf(NAMED.keySet());
    }

    /** Elements of a head. */
    public int headSize() {
        return hidden / heads;
    }

    /** Elements of a key or value row. */
    public int kvWidth() {
        return kvHeads * headSize();
    }

    /** The token that begins a text. */
    public int beginToken() {
        return vocabulary - 2;
    }

    /** The token that ends a text. */
    public int endToken() {
        return vocabulary - 1;
    }

    /** The same with another kind of model. */
    public SyntheticShape withModelType(String type) {
        return new SyntheticShape(type, hidden, mlpWidth, layers, heads, kvHeads, vocabulary, contextLength, tiedHead);
    }
}
