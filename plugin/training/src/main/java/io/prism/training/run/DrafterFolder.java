package io.prism.training.run;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.prism.spi.TargetDescription;
import io.prism.training.files.SafeTensors;
import io.prism.training.network.DraftNetwork;
import io.prism.training.plan.ModelPlan;
import io.prism.training.plan.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Writes a drafter as {@code prism.drafter} reads it: {@code config.json} and {@code model.safetensors}. */
final class DrafterFolder {
    static final String WEIGHTS = "model.safetensors";
    static final String CONFIG = "config.json";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final TargetDescription target;
    private final Optional<long[]> draftVocabulary;

    DrafterFolder(TargetDescription target, Optional<long[]> draftVocabulary) {
        this.target = target;
        this.draftVocabulary = draftVocabulary;
    }

    /** @param notes for people, kept in the configuration */
    void write(Path folder, DraftNetwork network, ModelPlan plan, Map<String, String> notes) throws IOException {
        Map<String, SafeTensors.Entry> tensors =
                new LinkedHashMap<>(network.parameters().save());
        draftVocabulary.ifPresent(
                tokens -> tensors.put("draft_vocabulary", new SafeTensors.Entry(new long[] {tokens.length}, tokens)));
        SafeTensors.write(folder.resolve(WEIGHTS), tensors);
        ObjectNode config = JSON.createObjectNode();
        config.put("format", "prism");
        config.put("version", 1);
        config.put("layer", plan.recipe() == Recipe.EAGLE3 ? "eagle3" : "prism");
        plan.stepMapping().forEach(config.putArray("step_modules")::add);
        if (!plan.innerLayers().isEmpty()) {
            plan.innerLayers().forEach(config.putArray("feature_layers")::add);
        }
        ObjectNode trainedFor = config.putObject("target");
        trainedFor.put("architecture", target.architecture());
        trainedFor.put("hidden_size", target.hiddenSize());
        trainedFor.put("vocab_size", target.vocabularySize());
        trainedFor.put("fingerprint", target.fingerprint());
        ObjectNode training = config.putObject("training");
        notes.forEach(training::put);
        Files.writeString(
                folder.resolve(CONFIG), JSON.writerWithDefaultPrettyPrinter().writeValueAsString(config) + "\n");
    }
}
