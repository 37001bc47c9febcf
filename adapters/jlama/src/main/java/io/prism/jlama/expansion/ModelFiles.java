package io.prism.jlama.expansion;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.prism.kernels.Precision;
import io.prism.spi.PrismException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The files of a model that has grown, but for its weights. Stateless. */
final class ModelFiles {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> COPIED = List.of("tokenizer_config.json", "LICENSE", "NOTICE", "MODEL_CARD.md");

    /** No tokenizer makes a token of this private character, so no text is ever read as an added token. */
    private static final String ADDED_TOKEN = "\uE000";

    private ModelFiles() {}

    /**
     * Writes configuration, tokenizer and README, and copies the tokenizer's configuration and papers.
     *
     * @param dense F32 or BF16, how what is not quantised is stored; empty for as before
     */
    static void write(Path from, Path to, Growth growth, Optional<Precision> dense) throws IOException {
        for (String name : COPIED) {
            if (Files.exists(from.resolve(name))) {
                Files.copy(from.resolve(name), to.resolve(name));
            }
        }
        writeTokenizer(from, to, growth);
        writeConfig(from, to, growth, dense);
        Sizes sizes = growth.to();
        Files.writeString(to.resolve("README.md"), """
                # %s, expanded

                The same text at the cost of a larger model, for measuring speed: %d wide, MLP %d, %d layers, %d heads and %d
                key/value heads of %d, %d tokens. Made by `prism expand`.
                """.formatted(
                        from.toAbsolutePath().normalize().getFileName(),
                        sizes.hidden(),
                        sizes.mlpWidth(),
                        sizes.layers(),
                        sizes.heads(),
                        sizes.kvHeads(),
                        sizes.headSize(),
                        sizes.vocabulary()));
    }

    private static void writeConfig(Path from, Path to, Growth growth, Optional<Precision> dense) throws IOException {
        ObjectNode config = readObject(from.resolve("config.json"));
        Sizes sizes = growth.to();
        config.put("hidden_size", sizes.hidden());
        config.put("intermediate_size", sizes.mlpWidth());
        config.put("num_hidden_layers", sizes.layers());
        config.put("num_attention_heads", sizes.heads());
        config.put("num_key_value_heads", sizes.kvHeads());
        config.put("head_dim", sizes.headSize());
        config.put("vocab_size", sizes.vocabulary());
        config.put("rms_norm_eps", growth.epsilon(config.path("rms_norm_eps").asDouble()));
        dense.ifPresent(type -> config.put("torch_dtype", type == Precision.F32 ? "float32" : "bfloat16"));
        config.remove("_name_or_path");
        JSON.writerWithDefaultPrettyPrinter()
                .writeValue(to.resolve("config.json").toFile(), config);
    }

    private static void writeTokenizer(Path from, Path to, Growth growth) throws IOException {
        Path file = from.resolve("tokenizer.json");
        ObjectNode tokenizer = readObject(file);
        if (!(tokenizer.path("model").path("vocab") instanceof ObjectNode tokens)) {
            throw new PrismException(file + " has no \"vocab\" of tokens and ids in its \"model\": expected a tokenizer"
                    + " that Jlama reads, BPE or WordPiece.");
        }
        for (int id = growth.from().vocabulary(); id < growth.to().vocabulary(); id++) {
            tokens.put(ADDED_TOKEN + id, id);
        }
        JSON.writeValue(to.resolve("tokenizer.json").toFile(), tokenizer);
    }

    private static ObjectNode readObject(Path file) throws IOException {
        if (JSON.readTree(file.toFile()) instanceof ObjectNode object) {
            return object;
        }
        throw new PrismException(file + " is no JSON object. Download it again.");
    }
}
