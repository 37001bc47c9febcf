package io.prism.spi;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Writes model folders in the shapes of known models, for measuring speed where the model itself can't be had: with random
 * weights, or a small model expanded. Found with {@link java.util.ServiceLoader}.
 */
public interface ModelSynthesizer {

    /** Shapes it knows, for instance {@code llama-3.2-1b}. */
    List<String> shapes();

    /** Element types it writes, for instance {@code bf16}. */
    List<String> dtypes();

    /**
     * Writes a model with random weights.
     *
     * @param shape one of {@link #shapes()}
     * @param dtype one of {@link #dtypes()}
     * @param out a folder that does not exist yet or is empty
     * @throws PrismException if a name is unknown or the folder can't be written
     */
    void synthesize(String shape, String dtype, Path out);

    /**
     * Writes a model that says what a smaller one says.
     *
     * @param small what to expand
     * @param shape one of {@link #shapes()}
     * @param dtype one of {@link #dtypes()}
     * @param out a folder that does not exist yet or is empty; nothing stays in it if writing fails
     * @throws PrismException if a name is unknown, the model can't be expanded, or the folder can't be written
     */
    void expand(SmallModel small, String shape, String dtype, Path out);

    /**
     * A model to expand, and its draft model.
     *
     * @param folder the model's
     * @param drafter a draft model's folder, to be expanded with it
     * @param draftVocabulary tokens that the expanded draft model drafts from; empty for as many as before, or for all if so
     *     it was
     */
    record SmallModel(Path folder, Optional<Path> drafter, OptionalInt draftVocabulary) {}
}
