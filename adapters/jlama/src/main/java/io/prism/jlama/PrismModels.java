package io.prism.jlama;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.DistributedContext;
import com.github.tjake.jlama.model.ModelSupport;
import com.github.tjake.jlama.safetensors.Config;
import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.safetensors.WeightLoader;
import io.prism.spi.PrismException;
import java.io.File;
import java.util.Optional;
import java.util.function.Function;

/** Loads models as {@link ModelSupport} does and attaches PRISM to them; see {@link Prism#attach}. */
public final class PrismModels {

    private PrismModels() {}

    /**
     * Loads a model for generation with the types that Jlama's own programs use: F32 activations, quantised to I8 where
     * Jlama can.
     *
     * @param model folder, or a file in it
     * @throws PrismException if a flag is wrong, or {@code prism.enabled=true} and the model can't be run
     */
    public static AbstractModel load(File model) {
        return load(model, DType.F32, DType.I8);
    }

    /**
     * As {@link ModelSupport#loadModel(File, DType, DType)}.
     *
     * @param model folder, or a file in it
     * @throws PrismException if a flag is wrong, or {@code prism.enabled=true} and the model can't be run
     */
    public static AbstractModel load(File model, DType workingMemoryType, DType workingQuantizationType) {
        return attach(ModelSupport.loadModel(model, workingMemoryType, workingQuantizationType), model);
    }

    /**
     * As {@link ModelSupport#loadModel(File, File, DType, DType, Optional, Optional)}.
     *
     * @param model folder, or a file in it
     * @throws PrismException if a flag is wrong, or {@code prism.enabled=true} and the model can't be run
     */
    public static AbstractModel load(
            File model,
            File workingDirectory,
            DType workingMemoryType,
            DType workingQuantizationType,
            Optional<DType> modelQuantization,
            Optional<Integer> threadCount) {
        return attach(
                ModelSupport.loadModel(
                        model,
                        workingDirectory,
                        workingMemoryType,
                        workingQuantizationType,
                        modelQuantization,
                        threadCount),
                model);
    }

    /**
     * As {@link ModelSupport#loadModel(AbstractModel.InferenceType, File, File, DType, DType, Optional, Optional,
     * Optional, Function)}.
     *
     * @param model folder, or a file in it
     * @throws PrismException if a flag is wrong, or {@code prism.enabled=true} and the model can't be run
     */
    public static AbstractModel load(
            AbstractModel.InferenceType inferenceType,
            File model,
            File workingDirectory,
            DType workingMemoryType,
            DType workingQuantizationType,
            Optional<DType> modelQuantization,
            Optional<Integer> threadCount,
            Optional<Function<Config, DistributedContext>> distributedContextLoader,
            Function<File, WeightLoader> weightLoaderSupplier) {
        return attach(
                ModelSupport.loadModel(
                        inferenceType,
                        model,
                        workingDirectory,
                        workingMemoryType,
                        workingQuantizationType,
                        modelQuantization,
                        threadCount,
                        distributedContextLoader,
                        weightLoaderSupplier),
                model);
    }

    private static AbstractModel attach(AbstractModel loaded, File model) {
        return Prism.attach(loaded, model.toPath());
    }
}
