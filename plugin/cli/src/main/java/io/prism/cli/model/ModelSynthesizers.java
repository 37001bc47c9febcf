package io.prism.cli.model;

import io.prism.spi.ModelSynthesizer;
import io.prism.spi.PrismException;
import java.util.List;
import java.util.ServiceLoader;
import java.util.TreeSet;

/** The writers of models on the class path. */
public final class ModelSynthesizers {
    private ModelSynthesizers() {}

    /**
     * The one that writes this.
     *
     * @throws PrismException if none does
     */
    public static ModelSynthesizer find(String shape, String dtype) {
        List<ModelSynthesizer> all =
                ServiceLoader.load(ModelSynthesizer.class, ModelSynthesizers.class.getClassLoader()).stream()
                        .map(ServiceLoader.Provider::get)
                        .toList();
        return all.stream()
                .filter(one -> one.shapes().contains(shape) && one.dtypes().contains(dtype))
                .findFirst()
                .orElseThrow(() -> unknown(all, shape, dtype));
    }

    private static PrismException unknown(List<ModelSynthesizer> all, String shape, String dtype) {
        TreeSet<String> shapes = new TreeSet<>();
        TreeSet<String> dtypes = new TreeSet<>();
        all.forEach(one -> {
            shapes.addAll(one.shapes());
            dtypes.addAll(one.dtypes());
        });
        return new PrismException("Can't write shape '" + shape + "' with type '" + dtype + "': expected one of the"
                + " shapes " + shapes + " and one of the types " + dtypes + ".");
    }
}
