package io.prism.drafter.checkpoint;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a draft model's {@code config.json} says.
 *
 * @param stepModules module of each draft step, counted from 0; the last one stays active for further steps
 * @param fusionBias whether fusion layers have a bias
 * @param multiHidden whether step 1 takes the hidden states of several target layers (PRISM*, EAGLE-3)
 * @param featureLayers those layers, counted from 0; empty for the method's own choice, or unless {@code multiHidden}
 * @param shape of the layers, where it is said
 * @param target the target it was trained for
 */
public record DrafterConfig(
        LayerKind layer,
        List<Integer> stepModules,
        boolean fusionBias,
        boolean multiHidden,
        List<Integer> featureLayers,
        Shape shape,
        TargetIdentity target) {

    /** Layers of the target whose states a multi-hidden drafter takes. */
    public static final int FEATURE_LAYERS = 3;

    public DrafterConfig {
        stepModules = List.copyOf(stepModules);
        featureLayers = List.copyOf(featureLayers);
    }

    /** Number of modules. */
    public int modules() {
        return stepModules.stream().mapToInt(Integer::intValue).max().orElse(-1) + 1;
    }

    /** Module of a draft step, both counted from 0. */
    public int module(int step) {
        return stepModules.get(Math.min(step, stepModules.size() - 1));
    }

    public DrafterConfig withTarget(TargetIdentity newTarget) {
        return new DrafterConfig(layer, stepModules, fusionBias, multiHidden, featureLayers, shape, newTarget);
    }

    /**
     * With the layers it takes states from by name: those it names already, else the low, the middle and the high one of
     * its method.
     *
     * @param targetLayers decoder layers of the target it was trained for
     */
    public DrafterConfig withFeatureLayersNamed(int targetLayers) {
        if (!multiHidden || !featureLayers.isEmpty()) {
            return this;
        }
        // EAGLE-3 counts the layer a state goes into, PRISM* the one it comes out of
        int before = layer == LayerKind.EAGLE3 ? 1 : 0;
        List<Integer> published = List.of(2 - before, targetLayers / 2 - before, targetLayers - 3 - before);
        return new DrafterConfig(layer, stepModules, fusionBias, true, published, shape, target);
    }

    /**
     * Shape of the layers; what is empty is the target's.
     *
     * @param ropeTheta base of unscaled rotary positions; empty for the target's positions
     */
    public record Shape(
            OptionalInt heads,
            OptionalInt kvHeads,
            OptionalInt headSize,
            Optional<Float> epsilon,
            Optional<Double> ropeTheta) {

        /** Everything as in the target. */
        public static final Shape OF_TARGET = new Shape(
                OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), Optional.empty(), Optional.empty());
    }
}
