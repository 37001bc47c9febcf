package io.prism.drafter.checkpoint;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.prism.spi.PrismException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** {@code config.json} of a draft model. */
final class ConfigFile {
    static final String NAME = "config.json";

    private static final String FORMAT = "prism";
    private static final int VERSION = 1;
    private static final long MAX_BYTES = 16 << 20;
    private static final Set<String> OWN_KEYS = Set.of(
            "format",
            "version",
            "layer",
            "step_modules",
            "fusion_bias",
            "feature_layers",
            "num_attention_heads",
            "num_key_value_heads",
            "head_dim",
            "rms_norm_eps",
            "rope_theta",
            "target",
            "training");
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build();

    private final Path path;
    private final JsonNode root;

    private ConfigFile(Path path, JsonNode root) {
        this.path = path;
        this.root = root;
    }

    static ConfigFile read(Path folder) {
        Path path = folder.resolve(NAME);
        try {
            if (!Files.isRegularFile(path)) {
                throw new PrismException(
                        path + " is missing: a draft model is a folder with config.json and model.safetensors");
            }
            if (Files.size(path) > MAX_BYTES) {
                throw new PrismException(path + " has " + Files.size(path) + " bytes, expected at most " + MAX_BYTES);
            }
            JsonNode root = JSON.readTree(Files.readAllBytes(path));
            if (!root.isObject()) {
                throw new PrismException(path + " is no JSON object. Copy or download it again");
            }
            return new ConfigFile(path, root);
        } catch (JsonProcessingException e) {
            throw new PrismException(
                    path + " is no JSON: " + e.getOriginalMessage() + ". Copy or download it again", e);
        } catch (IOException e) {
            throw new PrismException("Can't read " + path + ": " + e.getMessage(), e);
        }
    }

    /** Whether it is our own format. */
    boolean isOwn() {
        return root.path("format").asText().equals(FORMAT);
    }

    /** Our own format. */
    DrafterConfig own() {
        if (root.path("version").asInt() != VERSION) {
            throw wrong("version", "" + VERSION);
        }
        root.fieldNames().forEachRemaining(key -> {
            if (!OWN_KEYS.contains(key)) {
                throw new PrismException(path + " has an unknown entry '" + key + "', expected only "
                        + OWN_KEYS.stream().sorted().toList());
            }
        });
        LayerKind layer = null;
        for (LayerKind kind : LayerKind.values()) {
            if (kind.configName().equals(root.path("layer").asText())) {
                layer = kind;
            }
        }
        if (layer == null) {
            throw wrong("layer", "\"prism\" or \"eagle3\"");
        }
        JsonNode target = root.path("target");
        if (!target.isObject()) {
            throw wrong("target", "an object with architecture, hidden_size, vocab_size and fingerprint");
        }
        if (layer == LayerKind.FUSION && !root.path("fusion_bias").isBoolean()) {
            throw wrong("fusion_bias", "true or false");
        }
        return new DrafterConfig(
                layer,
                surjection(integers(root.path("step_modules"), "step_modules")),
                root.path("fusion_bias").asBoolean(),
                root.has("feature_layers"),
                root.path("feature_layers").isEmpty()
                        ? List.of()
                        : integers(root.path("feature_layers"), "feature_layers"),
                shape(root),
                new TargetIdentity(
                        target.path("architecture").asText(),
                        positive(target, "hidden_size"),
                        positive(target, "vocab_size"),
                        target.path("fingerprint").asText()));
    }

    /** EAGLE-1/2 and HASS: one module, and sizes as in a model's own configuration. */
    DrafterConfig eagle() {
        return published(root, LayerKind.FUSION, List.of(0), false, List.of());
    }

    /** The PRISM authors' configuration. */
    DrafterConfig authors(boolean multiHidden) {
        int steps = positive(root, "num_steps");
        JsonNode mapping = root.path("step_mapping");
        List<Integer> stepModules = new ArrayList<>();
        for (int step = 0; step < steps; step++) {
            JsonNode module = mapping.isArray() ? mapping.path(step) : mapping.path(String.valueOf(step));
            if (!module.isInt()) {
                throw wrong("step_mapping", "a module, counted from 0, for each of the steps 0 to " + (steps - 1));
            }
            stepModules.add(module.asInt());
        }
        surjection(stepModules);
        int modules = stepModules.stream().mapToInt(Integer::intValue).max().orElse(0) + 1;
        if (positive(root, "num_step_models") != modules) {
            throw wrong("num_step_models", modules + ", the modules that step_mapping names");
        }
        JsonNode sizes = root.has("eagle_config") ? root.path("eagle_config") : root;
        return published(sizes, LayerKind.FUSION, stepModules, multiHidden, List.of());
    }

    DrafterConfig eagle3() {
        JsonNode ids = root.has("eagle_aux_hidden_state_layer_ids")
                ? root.path("eagle_aux_hidden_state_layer_ids")
                : root.path("eagle_config").path("eagle_aux_hidden_state_layer_ids");
        List<Integer> layers = new ArrayList<>();
        if (!ids.isMissingNode()) {
            // they name the layer a state goes into, ours the one it comes out of
            integers(ids, "eagle_aux_hidden_state_layer_ids").forEach(id -> layers.add(id - 1));
        }
        return published(root, LayerKind.EAGLE3, List.of(0), true, layers);
    }

    private DrafterConfig published(
            JsonNode sizes,
            LayerKind layer,
            List<Integer> stepModules,
            boolean multiHidden,
            List<Integer> featureLayers) {
        return new DrafterConfig(
                layer,
                stepModules,
                layer == LayerKind.FUSION && sizes.path("bias").asBoolean(true),
                multiHidden,
                featureLayers,
                shape(sizes),
                new TargetIdentity("", positive(sizes, "hidden_size"), positive(sizes, "vocab_size"), ""));
    }

    private DrafterConfig.Shape shape(JsonNode sizes) {
        boolean scaled = !sizes.path("rope_scaling").isMissingNode()
                && !sizes.path("rope_scaling").isNull();
        return new DrafterConfig.Shape(
                optional(sizes, "num_attention_heads"),
                optional(sizes, "num_key_value_heads"),
                optional(sizes, "head_dim"),
                sizes.path("rms_norm_eps").isNumber()
                        ? Optional.of((float) sizes.path("rms_norm_eps").asDouble())
                        : Optional.empty(),
                sizes.path("rope_theta").isNumber() && !scaled
                        ? Optional.of(sizes.path("rope_theta").asDouble())
                        : Optional.empty());
    }

    private OptionalInt optional(JsonNode node, String key) {
        JsonNode value = node.path(key);
        return value.isMissingNode() || value.isNull() ? OptionalInt.empty() : OptionalInt.of(positive(node, key));
    }

    private int positive(JsonNode node, String key) {
        JsonNode value = node.path(key);
        if (!value.isInt() || value.asInt() < 1) {
            throw new PrismException(path + ": '" + key + "' is " + (value.isMissingNode() ? "missing" : value)
                    + ", expected a positive integer");
        }
        return value.asInt();
    }

    private List<Integer> integers(JsonNode node, String key) {
        List<Integer> values = new ArrayList<>();
        for (JsonNode value : node) {
            if (!value.isInt() || value.asInt() < 0) {
                throw wrong(key, "a list of integers from 0");
            }
            values.add(value.asInt());
        }
        if (values.isEmpty()) {
            throw wrong(key, "a list of integers from 0");
        }
        return values;
    }

    /** Each module from 0 to the largest must have a step. */
    private List<Integer> surjection(List<Integer> stepModules) {
        int modules = stepModules.stream().mapToInt(Integer::intValue).max().orElse(0) + 1;
        for (int module = 0; module < modules; module++) {
            if (!stepModules.contains(module)) {
                throw new PrismException(path + ": steps use the modules " + stepModules + ", so that module " + module
                        + " has no step. Expected every module from 0 to " + (modules - 1));
            }
        }
        return stepModules;
    }

    private PrismException wrong(String key, String expected) {
        JsonNode value = root.path(key);
        return new PrismException(
                path + ": '" + key + "' is " + (value.isMissingNode() ? "missing" : value) + ", expected " + expected);
    }

    /** Texts about its training, kept for people; empty unless it is our own format. */
    Map<String, String> training() {
        Map<String, String> texts = new LinkedHashMap<>();
        if (isOwn()) {
            root.path("training")
                    .properties()
                    .forEach(entry -> texts.put(
                            entry.getKey(),
                            entry.getValue().isTextual()
                                    ? entry.getValue().asText()
                                    : entry.getValue().toString()));
        }
        return texts;
    }

    /** Writes our own format. */
    static void write(Path folder, DrafterConfig config, Map<String, String> training) throws IOException {
        ObjectNode root = JSON.createObjectNode();
        root.put("format", FORMAT);
        root.put("version", VERSION);
        root.put("layer", config.layer().configName());
        put(root.putArray("step_modules"), config.stepModules());
        if (config.layer() == LayerKind.FUSION) {
            root.put("fusion_bias", config.fusionBias());
        }
        if (config.multiHidden()) {
            put(root.putArray("feature_layers"), config.featureLayers());
        }
        config.shape().heads().ifPresent(value -> root.put("num_attention_heads", value));
        config.shape().kvHeads().ifPresent(value -> root.put("num_key_value_heads", value));
        config.shape().headSize().ifPresent(value -> root.put("head_dim", value));
        config.shape().epsilon().ifPresent(value -> root.put("rms_norm_eps", value));
        config.shape().ropeTheta().ifPresent(value -> root.put("rope_theta", value));
        ObjectNode target = root.putObject("target");
        target.put("architecture", config.target().architecture());
        target.put("hidden_size", config.target().hiddenSize());
        target.put("vocab_size", config.target().vocabularySize());
        target.put("fingerprint", config.target().fingerprint());
        if (!training.isEmpty()) {
            ObjectNode entries = root.putObject("training");
            training.forEach(entries::put);
        }
        Files.writeString(folder.resolve(NAME), JSON.writeValueAsString(root) + "\n");
    }

    private static void put(ArrayNode array, List<Integer> values) {
        values.forEach(array::add);
    }
}
