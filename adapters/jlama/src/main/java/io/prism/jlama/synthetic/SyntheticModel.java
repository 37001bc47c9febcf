package io.prism.jlama.synthetic;

import io.prism.jlama.modelfile.WeightTensor;
import io.prism.jlama.modelfile.WeightsWriter;
import io.prism.kernels.Precision;
import io.prism.spi.PrismException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;

/** Writes Hugging Face folders of models with random weights. Stateless. */
public final class SyntheticModel {
    private SyntheticModel() {}

    /**
     * Writes a model: configuration, weights, tokenizer and a README.
     *
     * @param folder created if missing; files of an earlier model in it are replaced
     * @param precision F32 or BF16; for Q4 see {@link Q4Model}
     * @param seed models of equal shape, precision and seed are equal
     * @param tokenizer folder whose tokenizer is copied; its tokens must all be within the vocabulary. Without, a
     *     byte-level tokenizer of the right size is made up
     * @throws PrismException if the shape's kind of model is unknown, or writing fails
     */
    public static void write(
            Path folder, SyntheticShape shape, Precision precision, long seed, Optional<Path> tokenizer) {
        write(folder, shape, precision, seed, tokenizer, WeightsWriter.MAX_FILE_BYTES);
    }

    static void write(
            Path folder,
            SyntheticShape shape,
            Precision precision,
            long seed,
            Optional<Path> tokenizer,
            long maxFileBytes) {
        RandomTensors random = new RandomTensors(precision, seed);
        List<WeightTensor> tensors =
                SyntheticTensors.of(shape).stream().map(random::of).toList();
        try {
            Files.createDirectories(folder);
            if (tokenizer.isPresent()) {
                for (String name : List.of("tokenizer.json", "tokenizer_config.json")) {
                    Files.copy(
                            tokenizer.get().resolve(name), folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
                }
            } else {
                SyntheticTokenizer.write(folder, shape);
            }
            Files.writeString(folder.resolve("config.json"), config(shape, precision));
            Files.writeString(
                    folder.resolve("README.md"),
                    "Random weights at the shape %s, %s, seed %d. For measuring only.%n"
                            .formatted(shape, precision, seed));
            WeightsWriter.write(folder, tensors, maxFileBytes);
        } catch (IOException e) {
            throw new PrismException("Can't write a synthetic model to " + folder + ": " + e.getMessage(), e);
        }
    }

    private static String config(SyntheticShape shape, Precision precision) {
        String common = """
                "model_type": "%s", "vocab_size": %d, "bos_token_id": %d, "eos_token_id": %d, "torch_dtype": "%s",
                """.formatted(
                        shape.modelType(),
                        shape.vocabulary(),
                        shape.beginToken(),
                        shape.endToken(),
                        precision == Precision.F32 ? "float32" : "bfloat16");
        if (shape.modelType().equals("gpt2")) {
            return """
                {%s"n_ctx": %d, "n_embd": %d, "n_head": %d, "n_layer": %d, "layer_norm_epsilon": 1e-5}
                """.formatted(common, shape.contextLength(), shape.hidden(), shape.heads(), shape.layers());
        }
        return """
            {%s"hidden_size": %d, "intermediate_size": %d, "num_hidden_layers": %d, "num_attention_heads": %d,
            "num_key_value_heads": %d, "head_dim": %d, "max_position_embeddings": %d, "rms_norm_eps": 1e-5,
            "rope_theta": 10000.0, "hidden_act": "%s", "tie_word_embeddings": %b%s}
            """.formatted(
                        common,
                        shape.hidden(),
                        shape.mlpWidth(),
                        shape.layers(),
                        shape.heads(),
                        shape.kvHeads(),
                        shape.headSize(),
                        shape.contextLength(),
                        shape.modelType().startsWith("gemma") ? "gelu_pytorch_tanh" : "silu",
                        shape.tiedHead(),
                        extraConfig(shape));
    }

    private static String extraConfig(SyntheticShape shape) {
        return switch (shape.modelType()) {
            case "gemma2" -> ", \"final_logit_softcapping\": 30.0, \"attn_logit_softcapping\": 50.0";
            case "granite" ->
                ", \"residual_multiplier\": 0.8, \"attention_multiplier\": 0.12, \"embedding_multiplier\": 3.0,"
                        + " \"logits_scaling\": 1.5";
            case "mixtral" -> ", \"num_local_experts\": " + SyntheticTensors.EXPERTS + ", \"num_experts_per_tok\": 2";
            default -> "";
        };
    }
}
