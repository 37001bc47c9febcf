package io.prism.drafter.checkpoint;

import io.prism.drafter.format.ElementType;
import io.prism.drafter.format.StoredTensor;
import io.prism.kernels.Precision;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Holds a checkpoint's canonical tensors against what its configuration calls for. */
final class TensorCheck {
    private static final long ANY = -1;

    private final DrafterConfig config;
    private final Map<String, StoredTensor> tensors;
    private final List<String> problems;
    private final Map<String, List<Long>> expected = new LinkedHashMap<>();
    private final Set<String> optional = new HashSet<>();

    TensorCheck(DrafterConfig config, Map<String, StoredTensor> tensors, List<String> problems) {
        this.config = config;
        this.tensors = tensors;
        this.problems = problems;
    }

    /** Adds what is wrong to the problems: missing, unknown, of another shape or type, not finite. */
    void run() {
        expect();
        Set<String> unknown = new HashSet<>(tensors.keySet());
        expected.forEach((name, shape) -> {
            unknown.remove(name);
            unknown.remove(name + TensorNames.SCALES);
            StoredTensor tensor = tensors.get(name);
            if (tensor != null) {
                check(name, tensor, shape);
            } else if (!optional.contains(name)) {
                problems.add("tensor '" + name + "' is missing, expected " + describe(shape));
            }
        });
        unknown.stream()
                .sorted()
                .forEach(name -> problems.add("tensor '" + name + "' is unknown: it belongs to no part"
                        + " of a drafter with " + config.modules() + " modules of kind "
                        + config.layer().configName()));
        checkVocabulary();
        tensors.forEach(this::checkFinite);
    }

    private void expect() {
        long hidden = config.target().hiddenSize();
        boolean fusion = config.layer() == LayerKind.FUSION;
        long inputs = fusion ? hidden : 2 * hidden;
        long query = rows("modules.0.self_attn.q_proj.weight");
        long key = rows("modules.0.self_attn.k_proj.weight");
        long mlp = rows("modules.0.mlp.gate_proj.weight");
        for (int module = 0; module < config.modules(); module++) {
            String name = "modules." + module + ".";
            if (fusion) {
                expected.put(name + "fusion.weight", List.of(hidden, 2 * hidden));
                if (config.fusionBias()) {
                    expected.put(name + "fusion.bias", List.of(hidden));
                }
            } else {
                expected.put(name + "input_layernorm.weight", List.of(hidden));
                expected.put(name + "hidden_norm.weight", List.of(hidden));
            }
            projection(name + "self_attn.q_proj", query, inputs);
            projection(name + "self_attn.k_proj", key, inputs);
            projection(name + "self_attn.v_proj", key, inputs);
            expected.put(name + "self_attn.o_proj.weight", List.of(hidden, query));
            expected.put(name + "post_attention_layernorm.weight", List.of(hidden));
            expected.put(name + "mlp.gate_proj.weight", List.of(mlp, hidden));
            expected.put(name + "mlp.up_proj.weight", List.of(mlp, hidden));
            expected.put(name + "mlp.down_proj.weight", List.of(hidden, mlp));
        }
        if (config.multiHidden()) {
            expected.put("features.weight", List.of(hidden, DrafterConfig.FEATURE_LAYERS * hidden));
            optional("features.bias", List.of(hidden));
        }
        StoredTensor vocabulary = tensors.get(TensorNames.DRAFT_VOCABULARY);
        long drafted = vocabulary == null ? config.target().vocabularySize() : vocabulary.elements();
        optional(TensorNames.DRAFT_VOCABULARY, List.of(drafted));
        if (!fusion) {
            expected.put("norm.weight", List.of(hidden));
            expected.put(TensorNames.HEAD, List.of(drafted, hidden));
        }
    }

    private void projection(String name, long rows, long columns) {
        expected.put(name + ".weight", List.of(rows, columns));
        optional(name + ".bias", List.of(rows));
    }

    private void optional(String name, List<Long> shape) {
        expected.put(name, shape);
        optional.add(name);
    }

    private long rows(String name) {
        StoredTensor tensor = tensors.get(name);
        return tensor == null || tensor.shape().size() != 2
                ? ANY
                : tensor.shape().getFirst();
    }

    private void check(String name, StoredTensor tensor, List<Long> shape) {
        if (name.equals(TensorNames.DRAFT_VOCABULARY)) {
            if (tensor.type().isFloating() || tensor.shape().size() != 1) {
                problems.add("tensor '" + name + "' is " + tensor.describe() + ", expected I32 [R]");
            }
            return;
        }
        List<Long> stored = tensor.shape();
        boolean matrix = shape.size() == 2;
        if (matrix && tensor.type() == ElementType.U8 && stored.size() == 2) {
            stored = List.of(stored.get(0), 2 * stored.get(1));
        }
        boolean quantised = tensor.type() == ElementType.U8 || tensor.type() == ElementType.I8;
        if (!tensor.type().isFloating() && !(matrix && quantised)) {
            problems.add("tensor '" + name + "' is " + tensor.describe() + ", expected floating point");
        } else if (!matches(stored, shape)) {
            problems.add("tensor '" + name + "' is " + tensor.describe() + ", expected " + describe(shape));
        } else if (quantised) {
            checkScales(name, stored);
        } else if (tensors.containsKey(name + TensorNames.SCALES)) {
            problems.add("tensor '" + name + "' has scales, but is " + tensor.describe() + ", expected I8 or U8");
        }
    }

    private void checkScales(String name, List<Long> shape) {
        StoredTensor scales = tensors.get(name + TensorNames.SCALES);
        List<Long> wanted = List.of(shape.get(0), shape.get(1) / Precision.BLOCK);
        if (shape.get(1) % Precision.BLOCK != 0) {
            problems.add("tensor '" + name + "' is quantised with " + shape.get(1) + " columns, expected a multiple of "
                    + Precision.BLOCK);
        } else if (scales == null
                || scales.type() != ElementType.F32
                || !scales.shape().equals(wanted)) {
            problems.add("tensor '" + name + TensorNames.SCALES + "' is "
                    + (scales == null ? "missing" : scales.describe()) + ", expected F32 " + wanted);
        }
    }

    private static boolean matches(List<Long> shape, List<Long> expected) {
        if (shape.size() != expected.size() || shape.contains(0L)) {
            return false;
        }
        for (int i = 0; i < shape.size(); i++) {
            if (expected.get(i) != ANY && !expected.get(i).equals(shape.get(i))) {
                return false;
            }
        }
        return true;
    }

    private void checkVocabulary() {
        StoredTensor vocabulary = tensors.get(TensorNames.DRAFT_VOCABULARY);
        if (vocabulary == null || vocabulary.type().isFloating()) {
            return;
        }
        int size = config.target().vocabularySize();
        Set<Long> seen = new HashSet<>();
        for (long i = 0; i < vocabulary.elements(); i++) {
            long id = vocabulary.integerAt(i);
            if (id < 0 || id >= size || !seen.add(id)) {
                problems.add("the draft vocabulary maps token " + i + " to " + id
                        + ", expected each target token of 0 to " + (size - 1) + " at most once");
                return;
            }
        }
    }

    private void checkFinite(String name, StoredTensor tensor) {
        if (!tensor.type().isFloating()) {
            return;
        }
        for (long i = 0; i < tensor.elements(); i++) {
            float value = tensor.floatAt(i);
            if (!Float.isFinite(value)) {
                problems.add("tensor '" + name + "' has a " + value + " at element " + i
                        + ", expected finite numbers: its training failed or the file is damaged");
                return;
            }
        }
    }

    private static String describe(List<Long> shape) {
        return shape.stream()
                .map(size -> size == ANY ? "?" : String.valueOf(size))
                .toList()
                .toString();
    }
}
