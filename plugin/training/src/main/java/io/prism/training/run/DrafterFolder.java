package io.prism.training.run;

import io.prism.drafter.checkpoint.CheckpointWriter;
import io.prism.drafter.checkpoint.DrafterConfig;
import io.prism.drafter.checkpoint.LayerKind;
import io.prism.drafter.checkpoint.TargetIdentity;
import io.prism.drafter.format.StoredTensor;
import io.prism.spi.TargetDescription;
import io.prism.training.network.DraftNetwork;
import io.prism.training.plan.ModelPlan;
import io.prism.training.plan.Recipe;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Writes a drafter as {@code prism.drafter} reads it. */
final class DrafterFolder {
    static final String WEIGHTS = "model.safetensors";

    private final TargetDescription target;
    private final Optional<long[]> draftVocabulary;

    DrafterFolder(TargetDescription target, Optional<long[]> draftVocabulary) {
        this.target = target;
        this.draftVocabulary = draftVocabulary;
    }

    /** @param notes for people, kept in the configuration */
    void write(Path folder, DraftNetwork network, ModelPlan plan, Map<String, String> notes) {
        Map<String, StoredTensor> tensors =
                new LinkedHashMap<>(network.parameters().save());
        draftVocabulary.ifPresent(tokens -> tensors.put(
                "draft_vocabulary",
                StoredTensor.ofIntegers(
                        Arrays.stream(tokens).mapToInt(Math::toIntExact).toArray())));
        DrafterConfig config = new DrafterConfig(
                plan.recipe() == Recipe.EAGLE3 ? LayerKind.EAGLE3 : LayerKind.FUSION,
                plan.stepMapping(),
                plan.recipe() != Recipe.EAGLE3 && plan.fusionBias(),
                !plan.innerLayers().isEmpty(),
                plan.innerLayers(),
                DrafterConfig.Shape.OF_TARGET,
                TargetIdentity.of(target));
        CheckpointWriter.write(folder, config, tensors, notes);
    }
}
