package io.prism.training.plan;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/**
 * Everything that decides the weights a training run ends with, but the data itself.
 *
 * @param model what is trained
 * @param first stage 1, with one module
 * @param second stage 2, with all modules
 * @param optimiser of the weights, and batches
 * @param seed of initial weights and shuffles
 */
public record TrainingPlan(ModelPlan model, StagePlan first, StagePlan second, OptimiserPlan optimiser, long seed) {
    private static final ObjectMapper JSON = new ObjectMapper();

    public String toJson() {
        try {
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(JSON.valueToTree(this));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("A plan that can't be written as JSON: " + this, e);
        }
    }

    /** Names of values in which the plan differs from one written by {@link #toJson}, as {@code model.recipe}. */
    public List<String> differencesFrom(JsonNode written) {
        List<String> differences = new ArrayList<>();
        compare("", JSON.valueToTree(this), written, differences);
        return differences;
    }

    private static void compare(String path, JsonNode mine, JsonNode theirs, List<String> differences) {
        if (mine.isObject() && theirs.isObject()) {
            TreeSet<String> names = new TreeSet<>();
            mine.fieldNames().forEachRemaining(names::add);
            theirs.fieldNames().forEachRemaining(names::add);
            for (String name : names) {
                compare(path.isEmpty() ? name : path + "." + name, mine.path(name), theirs.path(name), differences);
            }
        } else if (!mine.toString().equals(theirs.toString())) {
            differences.add(path + " (" + theirs + ", now " + mine + ")");
        }
    }
}
