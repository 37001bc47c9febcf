package io.prism.jlama.host;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.tjake.jlama.model.ModelSupport.ModelType;
import com.github.tjake.jlama.safetensors.SafeTensorIndex;
import io.prism.spi.PrismException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/** Checks a model folder before Jlama reads it, so that what is missing or damaged is said in so many words. */
final class ModelFolder {
    private static final ObjectMapper JSON = new ObjectMapper();

    private ModelFolder() {}

    /** @throws PrismException if a file is missing or damaged, or Jlama does not know the kind of model */
    static void check(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new PrismException(folder + (Files.exists(folder) ? " is a file" : " does not exist")
                    + ": expected a model folder with config.json, tokenizer.json and model.safetensors.");
        }
        JsonNode config = read(folder, "config.json");
        checkKind(folder, config);
        read(folder, "tokenizer.json");
        for (String file : weightFiles(folder)) {
            SafetensorsFile.check(folder.resolve(file));
        }
    }

    private static void checkKind(Path folder, JsonNode config) {
        String kind = config.path("model_type").asText("");
        boolean known =
                Arrays.stream(ModelType.values()).anyMatch(type -> type.name().equals(kind.toUpperCase(Locale.ROOT)));
        if (!known) {
            throw new PrismException(folder.resolve("config.json") + " has "
                    + (kind.isEmpty() ? "no model_type" : "model_type '" + kind + "'")
                    + ": expected one that Jlama runs, "
                    + Arrays.toString(ModelType.values()).toLowerCase(Locale.ROOT) + ".");
        }
    }

    private static Set<String> weightFiles(Path folder) {
        if (Files.exists(folder.resolve(SafeTensorIndex.MODEL_INDEX_JSON))) {
            Set<String> files = new TreeSet<>();
            for (JsonNode file : read(folder, SafeTensorIndex.MODEL_INDEX_JSON).path("weight_map")) {
                files.add(file.asText());
            }
            if (files.isEmpty()) {
                throw new PrismException(folder.resolve(SafeTensorIndex.MODEL_INDEX_JSON)
                        + " names no files: expected a weight_map from tensors to files. Download it again.");
            }
            return files;
        }
        if (!Files.exists(folder.resolve(SafeTensorIndex.SINGLE_MODEL_NAME))) {
            throw new PrismException(folder + " has no weights: expected " + SafeTensorIndex.SINGLE_MODEL_NAME + " or "
                    + SafeTensorIndex.MODEL_INDEX_JSON + ". Other formats (GGUF, .bin) have to be converted first.");
        }
        return Set.of(SafeTensorIndex.SINGLE_MODEL_NAME);
    }

    private static JsonNode read(Path folder, String name) {
        Path file = folder.resolve(name);
        if (!Files.isRegularFile(file)) {
            throw new PrismException(folder + " has no " + name
                    + ": expected a Hugging Face model folder. Copy the file there from where the model came from.");
        }
        try {
            JsonNode content = JSON.readTree(file.toFile());
            if (!content.isObject()) {
                throw new PrismException(file + " is no JSON object. Download it again.");
            }
            return content;
        } catch (IOException e) {
            throw new PrismException(
                    file + " can't be read as JSON: " + firstLine(e) + " Expected a complete file; download it again.",
                    e);
        }
    }

    static String firstLine(Throwable e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("") + ".";
    }
}
