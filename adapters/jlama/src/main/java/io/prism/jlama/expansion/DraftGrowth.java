package io.prism.jlama.expansion;

import io.prism.drafter.checkpoint.Checkpoint;
import io.prism.drafter.checkpoint.CheckpointWriter;
import io.prism.drafter.checkpoint.DrafterConfig;
import io.prism.drafter.checkpoint.TargetIdentity;
import io.prism.kernels.Precision;
import io.prism.spi.PrismException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * How a draft model grows with its target: what it had of the target's size it has of the large one's.
 *
 * @param growth from its own sizes to larger ones
 * @param target from the target's sizes to larger ones
 */
record DraftGrowth(DrafterConfig config, Growth growth, Growth target) {

    static DraftGrowth of(Checkpoint checkpoint, Growth target) {
        DrafterConfig config = checkpoint.config();
        int queryWidth = rows(checkpoint, "modules.0.self_attn.q_proj.weight");
        int keyWidth = rows(checkpoint, "modules.0.self_attn.k_proj.weight");
        int mlpWidth = rows(checkpoint, "modules.0.mlp.gate_proj.weight");
        DrafterConfig.Shape shape = config.shape();
        int headSize = shape.headSize().isPresent()
                ? shape.headSize().getAsInt()
                : shape.heads().isPresent()
                        ? queryWidth / shape.heads().getAsInt()
                        : target.from().headSize();
        int heads = queryWidth / headSize;
        int kvHeads = keyWidth / headSize;
        Sizes from = target.from();
        Sizes to = target.to();
        int grownMlp = Math.ceilDiv(mlpWidth * to.mlpWidth() / from.mlpWidth(), Precision.BLOCK) * Precision.BLOCK;
        return new DraftGrowth(
                config,
                new Growth(
                        new Sizes(from.hidden(), mlpWidth, 1, heads, kvHeads, headSize, from.vocabulary()),
                        new Sizes(
                                to.hidden(),
                                grownMlp,
                                1,
                                inProportion("heads", heads, from.heads(), to.heads()),
                                inProportion("key/value heads", kvHeads, from.kvHeads(), to.kvHeads()),
                                headSize,
                                to.vocabulary())),
                target);
    }

    private static int rows(Checkpoint checkpoint, String name) {
        return Math.toIntExact(checkpoint.tensors().get(name).shape().getFirst());
    }

    private static int inProportion(String what, int own, int from, int to) {
        if (own * to % from != 0) {
            throw new PrismException("Can't expand a draft model of " + own + " " + what + " with a target whose "
                    + from + " become " + to + ": expected a whole number. Choose another shape.");
        }
        return own * to / from;
    }

    /** Writes its configuration, bound to the large target; the weights are there. */
    void writeConfig(Path folder, String architecture, String fingerprint) {
        DrafterConfig.Shape shape = config.shape();
        DrafterConfig.Shape grown = new DrafterConfig.Shape(
                ifPresent(shape.heads(), growth.to().heads()),
                ifPresent(shape.kvHeads(), growth.to().kvHeads()),
                shape.headSize().isPresent() || shape.heads().isPresent()
                        ? OptionalInt.of(growth.to().headSize())
                        : OptionalInt.empty(),
                shape.epsilon().map(epsilon -> (float) growth.epsilon(epsilon)),
                shape.ropeTheta());
        TargetIdentity identity = new TargetIdentity(
                architecture, growth.to().hidden(), growth.to().vocabulary(), fingerprint);
        CheckpointWriter.writeConfig(
                folder,
                new DrafterConfig(
                        config.layer(),
                        config.stepModules(),
                        config.fusionBias(),
                        config.multiHidden(),
                        config.multiHidden() ? featureLayers() : List.of(),
                        grown,
                        identity),
                Map.of());
    }

    /** Those it names, or that its method takes in a target of the old depth: layers are added behind all others. */
    private List<Integer> featureLayers() {
        return config.withFeatureLayersNamed(target.from().layers()).featureLayers();
    }

    private static OptionalInt ifPresent(OptionalInt before, int now) {
        return before.isPresent() ? OptionalInt.of(now) : before;
    }
}
