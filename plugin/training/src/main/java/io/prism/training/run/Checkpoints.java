package io.prism.training.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.prism.drafter.format.StoredTensor;
import io.prism.spi.PrismException;
import io.prism.training.files.AtomicFiles;
import io.prism.training.files.FloatTensors;
import io.prism.training.network.DraftNetwork;
import io.prism.training.optimise.Optimiser;
import io.prism.training.plan.Recipe;
import io.prism.training.plan.TrainingPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** A run's checkpoints, each a folder that is also a usable drafter; the last two are kept. */
final class Checkpoints {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String PREFIX = "checkpoint-";
    private static final String STATE = "state.json";
    private static final String OPTIMISER = "optimiser.safetensors";
    private static final int KEPT = 2;

    private final Path folder;
    private final TrainingPlan plan;

    Checkpoints(Path folder, TrainingPlan plan) {
        this.folder = folder;
        this.plan = plan;
    }

    /**
     * A checkpoint on disk.
     *
     * @param tokens answer tokens trained on
     */
    record Saved(Path folder, Progress progress, long tokens) {
        Map<String, StoredTensor> weights() {
            return FloatTensors.read(folder.resolve(DrafterFolder.WEIGHTS));
        }

        Map<String, StoredTensor> optimiser() {
            return FloatTensors.read(folder.resolve(OPTIMISER));
        }
    }

    /**
     * The newest checkpoint.
     *
     * @throws PrismException if it is damaged, or of a run with other hyperparameters
     */
    Optional<Saved> latest() {
        List<Path> all = list();
        if (all.isEmpty()) {
            return Optional.empty();
        }
        Path newest = all.getLast();
        try {
            JsonNode state = JSON.readTree(Files.readAllBytes(newest.resolve(STATE)));
            List<String> differences = plan.differencesFrom(state.path("plan"));
            if (!differences.isEmpty()) {
                throw new PrismException("The checkpoint " + newest + " belongs to a run with other values: "
                        + String.join(", ", differences) + ". Give the same options to go on, or another --out to begin"
                        + " anew (--from " + newest + " starts from its weights).");
            }
            return Optional.of(new Saved(
                    newest,
                    JSON.treeToValue(state.path("progress"), Progress.class),
                    state.path("tokens").asLong()));
        } catch (IOException e) {
            throw new PrismException(
                    "The checkpoint " + newest + " is damaged (" + e.getMessage()
                            + "): delete this folder to go on from the one before it, or from the start.",
                    e);
        }
    }

    static RunSummary summary(Path folder) {
        List<Path> all = list(folder);
        if (all.isEmpty()) {
            throw new PrismException("No checkpoint in " + folder
                    + ": expected the --out folder of prism train, after its first checkpoint.");
        }
        Path file = all.getLast().resolve(STATE);
        try {
            JsonNode state = JSON.readTree(Files.readAllBytes(file));
            JsonNode model = state.path("plan").path("model");
            return new RunSummary(
                    folder.toAbsolutePath().normalize().getFileName().toString(),
                    Recipe.valueOf(model.path("recipe").asText()).label(),
                    model.path("keyValues").asText().toLowerCase(Locale.ROOT),
                    state.path("tokens").asLong(),
                    JSON.treeToValue(state.path("progress"), Progress.class).history());
        } catch (IOException | IllegalArgumentException e) {
            throw new PrismException(
                    "The checkpoint's " + file + " is damaged (" + e.getMessage() + "): expected one of this version.",
                    e);
        }
    }

    /** Writes a checkpoint and deletes all but the last two. */
    Path write(
            Progress progress,
            long tokens,
            DraftNetwork network,
            Optimiser optimiser,
            DrafterFolder drafter,
            io.prism.training.plan.ModelPlan model) {
        Path checkpoint = folder.resolve(String.format("%s%d-%08d", PREFIX, progress.stage(), progress.step()));
        AtomicFiles.writeFolder(checkpoint, path -> {
            drafter.write(path, network, model, Map.of("stage", "" + progress.stage(), "step", "" + progress.step()));
            FloatTensors.write(path.resolve(OPTIMISER), optimiser.save());
            ObjectNode state = JSON.createObjectNode();
            state.set("plan", JSON.readTree(plan.toJson()));
            state.set("progress", JSON.valueToTree(progress));
            state.put("tokens", tokens);
            Files.write(
                    path.resolve(STATE), JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(state));
        });
        List<Path> all = list();
        try {
            for (Path old : all.subList(0, Math.max(0, all.size() - KEPT))) {
                AtomicFiles.deleteTree(old);
            }
        } catch (IOException e) {
            throw new PrismException("Can't delete an old checkpoint: " + e.getMessage(), e);
        }
        return checkpoint;
    }

    private List<Path> list() {
        return list(folder);
    }

    /** Oldest first. */
    private static List<Path> list(Path folder) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return new ArrayList<>(files.filter(
                            path -> path.getFileName().toString().startsWith(PREFIX))
                    .filter(path -> !AtomicFiles.isTemporary(path))
                    .sorted(Comparator.comparing(path -> path.getFileName().toString()))
                    .toList());
        } catch (IOException e) {
            throw new PrismException("Can't list " + folder + ": " + e.getMessage(), e);
        }
    }
}
