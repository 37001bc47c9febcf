package io.prism.training.plan;

import io.prism.spi.PrismException;
import java.util.List;

/**
 * What is trained.
 *
 * @param recipe kind of drafter
 * @param stepMapping module (from 0) of draft steps 1, 2, ..; the last goes on for later steps
 * @param innerLayers layers of the target (from 0) whose outputs the first step reads; empty for its last hidden state
 * @param draftVocabulary tokens that can be drafted, 0 for all
 * @param keyValues whose keys and values training uses
 * @param fusionBias whether fusion layers have a bias
 */
public record ModelPlan(
        Recipe recipe,
        List<Integer> stepMapping,
        List<Integer> innerLayers,
        int draftVocabulary,
        KeyValueMode keyValues,
        boolean fusionBias) {

    /** @throws PrismException if the mapping is not a surjection on modules 0 to M-1 */
    public ModelPlan {
        stepMapping = List.copyOf(stepMapping);
        innerLayers = List.copyOf(innerLayers);
        int highest = stepMapping.stream().mapToInt(Integer::intValue).max().orElse(-1);
        for (int module = 0; module <= highest; module++) {
            if (!stepMapping.contains(module)) {
                throw new PrismException("Step mapping " + stepMapping + " never runs module " + module
                        + ": expected each of 0.." + highest + " at least once.");
            }
        }
        if (highest < 0 || stepMapping.stream().anyMatch(module -> module < 0)) {
            throw new PrismException("Step mapping " + stepMapping + ": expected module numbers from 0.");
        }
        if (innerLayers.size() != (recipe.readsInnerLayers() ? 3 : 0)) {
            throw new PrismException("Recipe " + recipe.label() + " with inner layers " + innerLayers + ": expected "
                    + (recipe.readsInnerLayers() ? "three." : "none."));
        }
        if (recipe == Recipe.EAGLE3 && highest > 0) {
            throw new PrismException("Recipe eagle3 has one module, not " + (highest + 1) + ".");
        }
        if (draftVocabulary < 0) {
            throw new PrismException("Draft vocabulary " + draftVocabulary + ": expected 0 (all) or more.");
        }
    }

    public int modules() {
        return stepMapping.stream().mapToInt(Integer::intValue).max().orElseThrow() + 1;
    }

    /** Module (from 0) of a draft step (from 1). */
    public int moduleOf(int step) {
        return stepMapping.get(Math.min(step, stepMapping.size()) - 1);
    }

    /** The same drafter with every step run by one module, as in the first stage. */
    public ModelPlan warmUp() {
        return new ModelPlan(recipe, List.of(0), innerLayers, draftVocabulary, keyValues, fusionBias);
    }
}
