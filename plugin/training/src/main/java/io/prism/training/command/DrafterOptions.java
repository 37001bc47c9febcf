package io.prism.training.command;

import io.prism.training.plan.KeyValueMode;
import io.prism.training.plan.ModelPlan;
import io.prism.training.plan.Recipe;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What is trained. */
final class DrafterOptions {
    private static final int DEEP = 12;

    @Option(
            names = "--recipe",
            paramLabel = "NAME",
            defaultValue = "prism",
            description = "prism, prism-star, hass, eagle2 or eagle3. Default: ${DEFAULT-VALUE}.")
    private String recipe = "";

    @Option(
            names = "--modules",
            paramLabel = "M",
            description = "Modules; step j runs module min(j, M). Default: the recipe's, 2 for PRISM.")
    private @Nullable Integer modules;

    @Option(
            names = "--step-mapping",
            paramLabel = "M,M,..",
            split = ",",
            description = "Module, from 0, of each draft step; instead of --modules.")
    private @Nullable List<Integer> mapping;

    @Option(
            names = "--kv",
            paramLabel = "inference|published",
            defaultValue = "inference",
            description =
                    "Which module computes keys and values in training: the one that writes them at inference, or the current step's. Default: ${DEFAULT-VALUE}.")
    private KeyValueMode keyValues = KeyValueMode.INFERENCE;

    @Option(
            names = "--layers",
            paramLabel = "A,B,C",
            split = ",",
            description =
                    "Layers of the target, from 0, that prism-star and eagle3 read. Default: a low, a middle and a high one.")
    private @Nullable List<Integer> layers;

    @Option(
            names = "--capture-layers",
            description =
                    "Keep inner layers in the cache even for recipes that don't read them, so that all recipes can share it.")
    private boolean captureLayers;

    @Option(
            names = "--draft-vocabulary",
            paramLabel = "R",
            defaultValue = "0",
            description =
                    "Draft only the R most frequent tokens of the training text; 0: all. Default: ${DEFAULT-VALUE}.")
    private int draftVocabulary;

    @Option(
            names = "--fusion-bias",
            paramLabel = "true|false",
            defaultValue = "true",
            arity = "1",
            description = "Fusion layers have a bias. Default: ${DEFAULT-VALUE}.")
    private boolean fusionBias;

    Recipe recipe() {
        return Recipe.of(recipe);
    }

    ModelPlan plan(int targetLayers) {
        List<Integer> steps = mapping;
        if (steps == null) {
            steps = new ArrayList<>();
            int count = modules != null ? modules : recipe().defaultModules();
            for (int module = 0; module < count; module++) {
                steps.add(module);
            }
        }
        return new ModelPlan(
                recipe(),
                steps,
                recipe().readsInnerLayers() ? layers(targetLayers) : List.of(),
                draftVocabulary,
                keyValues,
                fusionBias);
    }

    /** Layers to keep in the cache. */
    List<Integer> captured(int targetLayers) {
        return captureLayers || recipe().readsInnerLayers()
                ? List.copyOf(new TreeSet<>(layers(targetLayers)))
                : List.of();
    }

    private List<Integer> layers(int targetLayers) {
        if (layers != null) {
            return layers;
        }
        int low = targetLayers >= DEEP ? 2 : targetLayers / 6;
        int high = targetLayers >= DEEP ? targetLayers - 3 : Math.max(0, targetLayers - 2);
        return List.of(low, targetLayers / 2, high);
    }
}
