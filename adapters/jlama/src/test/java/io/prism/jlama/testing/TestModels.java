package io.prism.jlama.testing;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.ModelSupport;
import com.github.tjake.jlama.safetensors.DType;
import io.prism.jlama.synthetic.SyntheticModel;
import io.prism.jlama.synthetic.SyntheticShape;
import io.prism.kernels.KernelSelection;
import io.prism.kernels.Kernels;
import io.prism.kernels.Precision;
import java.nio.file.Path;
import java.util.Optional;

/** Small models with random weights, as Jlama loads them. */
public final class TestModels {
    private static final long SEED = 42;

    private TestModels() {}

    /** A model of two layers, 128 wide, with 512 tokens and a context of 256. */
    public static AbstractModel tiny(Path folder, String modelType, Precision precision) {
        return write(folder, SyntheticShape.named("tiny").withModelType(modelType), precision);
    }

    public static AbstractModel write(Path folder, SyntheticShape shape, Precision precision) {
        SyntheticModel.write(folder, shape, precision, SEED, Optional.empty());
        return load(folder);
    }

    /** Loads as Jlama's callers do. */
    public static AbstractModel load(Path folder) {
        return ModelSupport.loadModel(folder.toFile(), DType.F32, DType.I8);
    }

    public static Kernels kernels(String name) {
        return KernelSelection.select(name, TestModels.class.getClassLoader())
                .provider()
                .open(2);
    }
}
