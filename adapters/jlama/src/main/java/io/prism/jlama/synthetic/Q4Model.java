package io.prism.jlama.synthetic;

import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.safetensors.SafeTensorSupport;
import io.prism.spi.PrismException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Quantises models with Jlama's own tool. Stateless. */
public final class Q4Model {
    /** What Jlama can't look up or sample from when it is Q4. */
    private static final String[] KEPT = {"embed_tokens", "lm_head"};

    private Q4Model() {}

    /**
     * Writes a Q4 version of a model: projections in Q4; embedding, head and norms as they are.
     *
     * @param model a Hugging Face folder; not changed
     * @param output must not exist
     * @throws PrismException if the model can't be read, or writing fails
     */
    public static void quantize(Path model, Path output) {
        if (Files.exists(output)) {
            throw new PrismException("Can't quantise into " + output + ": it exists already. Choose another folder");
        }
        try {
            Path staged = stage(model);
            try {
                SafeTensorSupport.quantizeModel(staged, DType.Q4, KEPT, null, Optional.of(output));
            } finally {
                delete(staged);
            }
        } catch (IOException e) {
            throw new PrismException("Can't quantise " + model + " into " + output + ": " + e.getMessage(), e);
        }
    }

    /** A folder of links to the model's files, with the README that Jlama's tool insists on. */
    private static Path stage(Path model) throws IOException {
        Path staged = Files.createTempDirectory("prism-quantise-");
        for (Path file : list(model)) {
            if (Files.isRegularFile(file)) {
                Files.createSymbolicLink(staged.resolve(file.getFileName()), file.toAbsolutePath());
            }
        }
        if (Files.notExists(staged.resolve("README.md"))) {
            Files.writeString(staged.resolve("README.md"), "# " + model.getFileName() + System.lineSeparator());
        }
        return staged;
    }

    private static void delete(Path folder) throws IOException {
        for (Path file : list(folder)) {
            Files.delete(file);
        }
        Files.delete(folder);
    }

    private static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }
}
