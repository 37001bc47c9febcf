package io.prism.spi;

import java.nio.file.Path;
import java.util.List;

/**
 * Writes model folders with random weights, in the shapes of known models: for measuring speed where the model itself
 * can't be had. Found with {@link java.util.ServiceLoader}.
 */
public interface ModelSynthesizer {

    /** Shapes it knows, for instance {@code llama-3.2-1b}. */
    List<String> shapes();

    /** Element types it writes, for instance {@code bf16}. */
    List<String> dtypes();

    /**
     * Writes a model.
     *
     * @param shape one of {@link #shapes()}
     * @param dtype one of {@link #dtypes()}
     * @param out a folder that does not exist yet or is empty
     * @throws PrismException if a name is unknown or the folder can't be written
     */
    void synthesize(String shape, String dtype, Path out);
}
