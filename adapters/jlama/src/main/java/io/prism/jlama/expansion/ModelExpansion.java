package io.prism.jlama.expansion;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.ModelSupport;
import com.github.tjake.jlama.safetensors.Config;
import com.github.tjake.jlama.safetensors.DType;
import io.prism.config.PrismConfig;
import io.prism.drafter.checkpoint.Checkpoint;
import io.prism.drafter.checkpoint.TargetFit;
import io.prism.jlama.internals.Fingerprint;
import io.prism.jlama.internals.UnsupportedModelException;
import io.prism.jlama.modelfile.DiskSpace;
import io.prism.jlama.modelfile.WeightTensor;
import io.prism.jlama.modelfile.WeightsWriter;
import io.prism.jlama.synthetic.SyntheticShape;
import io.prism.jlama.target.JlamaTarget;
import io.prism.kernels.KernelSelection;
import io.prism.kernels.Kernels;
import io.prism.kernels.Precision;
import io.prism.spi.PrismException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Makes a model as large as another one without changing its text: what it costs is what the large one costs, what it says,
 * and how much of a draft is accepted, is what the small one says.
 *
 * <p>In exact arithmetic nothing changes. In floating point, a width that grows by a power of four rescales norms by a
 * power of two, which rounds nothing; other widths store norms in F32 and round there once. Sums of more terms, most of
 * them zero, may add up in another order.
 *
 * <p>Weights are read from and written to files row by row; of the large model no more than a few megabytes are in memory.
 */
public final class ModelExpansion implements AutoCloseable {
    private final Path folder;
    private final AbstractModel model;
    private final Kernels kernels;
    private final JlamaTarget target;
    private final Growth growth;
    private final ExtraTokens extra;

    private ModelExpansion(
            Path folder, AbstractModel model, Kernels kernels, JlamaTarget target, SyntheticShape shape) {
        this.folder = folder;
        this.model = model;
        this.kernels = kernels;
        this.target = target;
        this.growth = growth(model.getConfig(), shape);
        int added = growth.to().vocabulary() - growth.from().vocabulary();
        this.extra = added == 0 ? new ExtraTokens(0, 1) : ExtraTokens.choose(target, model.getConfig().bosToken, added);
    }

    /**
     * Loads a model that is to grow.
     *
     * @param folder with F32, BF16 or Q4 weights, that {@link JlamaTarget} can run
     * @param shape what it is to grow to; the size of heads stays the model's, and their number makes up for it
     * @throws PrismException if it can't, or is larger than the shape somewhere
     */
    public static ModelExpansion of(Path folder, SyntheticShape shape) {
        AbstractModel model = ModelSupport.loadModel(folder.toFile(), DType.F32, DType.I8);
        Kernels kernels = KernelSelection.select(KernelSelection.AUTO, ModelExpansion.class.getClassLoader())
                .provider()
                .open(0);
        JlamaTarget target = null;
        try {
            target = JlamaTarget.of(model, kernels, false);
            return new ModelExpansion(folder, model, kernels, target, shape);
        } catch (UnsupportedModelException e) {
            close(model, kernels, target);
            throw new PrismException("Can't expand " + folder + ": " + e.getMessage(), e);
        } catch (RuntimeException | Error e) {
            close(model, kernels, target);
            throw e;
        }
    }

    private static Growth growth(Config config, SyntheticShape shape) {
        Sizes from = new Sizes(
                config.embeddingLength,
                config.hiddenLength,
                config.numberOfLayers,
                config.numberOfHeads,
                config.numberOfKeyValueHeads,
                config.headSize,
                config.vocabularySize);
        int headSize = config.headSize;
        if (shape.hidden() % headSize != 0 || shape.kvWidth() % headSize != 0) {
            throw new PrismException("Can't expand heads of " + headSize + " elements to queries of " + shape.hidden()
                    + " and keys of " + shape.kvWidth() + ": expected multiples of a head. Choose another shape.");
        }
        return new Growth(
                from,
                new Sizes(
                        shape.hidden(),
                        shape.mlpWidth(),
                        shape.layers(),
                        shape.hidden() / headSize,
                        shape.kvWidth() / headSize,
                        headSize,
                        shape.vocabulary()));
    }

    /**
     * Writes the large model.
     *
     * @param dense F32 or BF16, how weights are stored that are not quantised; empty for as they are. BF16 changes a model
     *     of F32 weights: its text is that of the same model rounded to BF16
     * @param out a folder that exists
     * @throws PrismException if the disk is short, or writing fails
     */
    public void write(Path out, Optional<Precision> dense) {
        try {
            List<WeightTensor> tensors = TargetTensors.of(model.getWeights(), growth, extra, dense);
            DiskSpace.require(out, bytes(tensors));
            WeightsWriter.write(out, tensors, WeightsWriter.MAX_FILE_BYTES);
            ModelFiles.write(folder, out, growth, dense);
        } catch (IOException e) {
            throw new PrismException("Can't write the expanded model to " + out + ": " + e, e);
        }
    }

    /**
     * Writes a draft model of the model, grown with it, to the folder inside the large model's where it is found by default.
     *
     * @param drafter a draft model's folder
     * @param draftVocabulary tokens to draft from; empty for as many as before, or all of the target's if so it was
     * @param out what {@link #write} has written
     * @throws PrismException if it is no draft model of this model, the disk is short, or writing fails
     */
    public void writeDrafter(Path drafter, OptionalInt draftVocabulary, Path out) {
        if (!Checkpoint.isIn(drafter)) {
            throw new PrismException(
                    "Can't expand " + drafter + " with its target: expected the folder of a draft model"
                            + " (PRISM, EAGLE, HASS). 'prism inspect' tells what a folder holds.");
        }
        try (Checkpoint checkpoint = Checkpoint.open(drafter);
                AbstractModel large = ModelSupport.loadModel(out.toFile(), DType.F32, DType.I8)) {
            checkpoint.requireSound();
            TargetFit.require(
                    checkpoint,
                    target.description(),
                    target.sharedWeights().orElseThrow().embedding());
            DraftGrowth draft = DraftGrowth.of(checkpoint, growth);
            List<WeightTensor> tensors = DraftTensors.of(checkpoint, draft.growth(), extra, draftVocabulary);
            Path folder = Files.createDirectories(out.resolve(PrismConfig.DRAFTER_FOLDER));
            DiskSpace.require(folder, bytes(tensors));
            WeightsWriter.write(folder, tensors, Long.MAX_VALUE);
            draft.writeConfig(folder, target.description().architecture(), Fingerprint.of(large));
        } catch (IOException e) {
            throw new PrismException("Can't write the expanded draft model to " + out + ": " + e, e);
        }
    }

    private static long bytes(List<WeightTensor> tensors) {
        return tensors.stream().mapToLong(WeightTensor::bytes).sum();
    }

    @Override
    public void close() {
        close(model, kernels, target);
    }

    private static void close(AbstractModel model, Kernels kernels, JlamaTarget target) {
        if (target != null) {
            target.close();
        }
        model.close();
        kernels.close();
    }
}
