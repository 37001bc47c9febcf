package io.prism.drafter.checkpoint;

import io.prism.drafter.format.ElementType;
import io.prism.drafter.format.StoredTensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Brings published tensor names to the canonical ones:
 *
 * <pre>
 * modules.M.fusion.{weight,bias}                               [d, 2d] [d]   (fusion layers)
 * modules.M.{input_layernorm,hidden_norm}.weight               [d]           (EAGLE-3)
 * modules.M.self_attn.{q,k,v,o}_proj.weight                    q, k, v also .bias
 * modules.M.post_attention_layernorm.weight                    [d]
 * modules.M.mlp.{gate,up,down}_proj.weight
 * features.{weight,bias}                                       [d, 3d] [d]   (multi-hidden input)
 * norm.weight, head.weight                                     [d] [R, d]    (EAGLE-3)
 * draft_vocabulary                                             [R] target ids (reduced vocabulary)
 * </pre>
 *
 * A matrix of precision I8 or Q4 has its scales beside it under {@code <name>.scales}.
 */
final class TensorNames {
    static final String DRAFT_VOCABULARY = "draft_vocabulary";
    static final String HEAD = "head.weight";
    static final String SCALES = ".scales";

    private static final String EMBEDDING = "embed_tokens.weight";
    private static final String DRAFT_TO_TARGET = "d2t";
    private static final String TARGET_TO_DRAFT = "t2d";
    private static final Pattern AUTHORS_LAYER = Pattern.compile("stepModels\\.(\\d+)\\.0\\.(.+)");
    private static final Pattern AUTHORS_FUSION = Pattern.compile("stepFCs\\.(\\d+)\\.(weight|bias)");
    private static final Pattern SERVING_LAYER = Pattern.compile("midlayer\\.(\\d+)\\.(.+)");
    private static final Pattern SERVING_FUSION = Pattern.compile("fc(\\d+)\\.(weight|bias)");
    private static final Pattern FEATURES = Pattern.compile("fusion_layer\\.(weight|bias)");

    private TensorNames() {}

    /** The kind of a checkpoint that is not our own, by its tensors' names. */
    static Optional<CheckpointKind> kind(Set<String> names) {
        if (names.stream()
                .anyMatch(name -> AUTHORS_LAYER.matcher(name).matches()
                        || SERVING_LAYER.matcher(name).matches())) {
            return Optional.of(CheckpointKind.PRISM_AUTHORS);
        }
        if (names.stream().anyMatch(name -> name.startsWith("midlayer."))) {
            return Optional.of(CheckpointKind.EAGLE3);
        }
        if (names.contains("fc.weight") && names.stream().anyMatch(name -> name.startsWith("layers.0."))) {
            return Optional.of(CheckpointKind.EAGLE);
        }
        return Optional.empty();
    }

    /** Whether an authors' checkpoint is PRISM*. */
    static boolean hasFeatures(Set<String> names) {
        return names.stream().anyMatch(name -> FEATURES.matcher(name).matches());
    }

    /**
     * Renames all tensors; names that belong to nothing known are kept as they are, so that they are found to be
     * unknown. Of an embedding nothing is kept: the target's is used.
     *
     * @param problems receives what is wrong with tensors that don't reach the canonical form
     */
    static Map<String, StoredTensor> canonical(
            CheckpointKind kind, Map<String, StoredTensor> tensors, List<String> problems) {
        if (kind == CheckpointKind.PRISM) {
            return new LinkedHashMap<>(tensors);
        }
        Map<String, StoredTensor> canonical = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> {
            boolean ignored = name.equals(EMBEDDING) || (kind == CheckpointKind.EAGLE3 && isVocabularyMap(name));
            if (!ignored) {
                canonical.put(
                        switch (kind) {
                            case PRISM -> name;
                            case EAGLE -> eagle(name);
                            case PRISM_AUTHORS -> authors(name);
                            case EAGLE3 -> eagle3(name);
                        },
                        tensor);
            }
        });
        if (kind == CheckpointKind.EAGLE3) {
            draftVocabulary(tensors, problems).ifPresent(map -> canonical.put(DRAFT_VOCABULARY, map));
        }
        return canonical;
    }

    /** The embedding a published checkpoint carries. */
    static Optional<StoredTensor> embedding(CheckpointKind kind, Map<String, StoredTensor> tensors) {
        return kind == CheckpointKind.PRISM ? Optional.empty() : Optional.ofNullable(tensors.get(EMBEDDING));
    }

    private static boolean isVocabularyMap(String name) {
        return name.equals(DRAFT_TO_TARGET) || name.equals(TARGET_TO_DRAFT);
    }

    private static String eagle(String name) {
        if (name.startsWith("fc.")) {
            return "modules.0.fusion." + name.substring("fc.".length());
        }
        return name.startsWith("layers.0.") ? "modules.0." + name.substring("layers.0.".length()) : name;
    }

    private static String authors(String name) {
        for (Pattern pattern : List.of(AUTHORS_LAYER, SERVING_LAYER)) {
            Matcher layer = pattern.matcher(name);
            if (layer.matches()) {
                return "modules." + layer.group(1) + "." + layer.group(2);
            }
        }
        for (Pattern pattern : List.of(AUTHORS_FUSION, SERVING_FUSION)) {
            Matcher fusion = pattern.matcher(name);
            if (fusion.matches()) {
                return "modules." + fusion.group(1) + ".fusion." + fusion.group(2);
            }
        }
        Matcher features = FEATURES.matcher(name);
        return features.matches() ? "features." + features.group(1) : name;
    }

    private static String eagle3(String name) {
        if (name.startsWith("midlayer.")) {
            return "modules.0." + name.substring("midlayer.".length());
        }
        return switch (name) {
            case "fc.weight" -> "features.weight";
            case "fc.bias" -> "features.bias";
            case "lm_head.weight" -> HEAD;
            default -> name;
        };
    }

    /** Target ids of the draft vocabulary: draft id + d2t[draft id], which t2d must mark and no other. */
    private static Optional<StoredTensor> draftVocabulary(Map<String, StoredTensor> tensors, List<String> problems) {
        StoredTensor offsets = tensors.get(DRAFT_TO_TARGET);
        StoredTensor marks = tensors.get(TARGET_TO_DRAFT);
        if (offsets == null) {
            if (marks != null) {
                problems.add("tensor 't2d' is there, but 'd2t' is missing");
            }
            return Optional.empty();
        }
        if (offsets.type().isFloating() || offsets.shape().size() != 1) {
            problems.add("tensor 'd2t' is " + offsets.describe() + ", expected I64 [R]");
            return Optional.empty();
        }
        int[] ids = new int[Math.toIntExact(offsets.elements())];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = Math.clamp(i + offsets.integerAt(i), Integer.MIN_VALUE, Integer.MAX_VALUE);
        }
        if (marks != null) {
            checkMarks(ids, marks, problems);
        }
        return Optional.of(StoredTensor.ofIntegers(ids));
    }

    private static void checkMarks(int[] ids, StoredTensor marks, List<String> problems) {
        if (marks.type() != ElementType.BOOL && marks.type() != ElementType.U8) {
            problems.add("tensor 't2d' is " + marks.describe() + ", expected BOOL [V]");
            return;
        }
        long marked = 0;
        for (long i = 0; i < marks.elements(); i++) {
            marked += marks.integerAt(i);
        }
        boolean agree = marked == ids.length;
        for (int id : ids) {
            agree &= id >= 0 && id < marks.elements() && marks.integerAt(id) == 1;
        }
        if (!agree) {
            problems.add("tensors 'd2t' and 't2d' disagree: 't2d' marks " + marked + " tokens, 'd2t' names "
                    + ids.length + ", and they must be the same ones");
        }
    }
}
