package io.prism.drafter.checkpoint;

import io.prism.drafter.format.EncodedMatrix;
import io.prism.drafter.format.SafeTensors;
import io.prism.drafter.format.StoredTensor;
import io.prism.kernels.Precision;
import io.prism.spi.PrismException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Writes draft models in our own format. Stateless. */
public final class CheckpointWriter {
    private static final String WEIGHTS = "model.safetensors";

    private CheckpointWriter() {}

    /**
     * Writes a folder with {@code config.json} and {@code model.safetensors}; the configuration comes last, so that an
     * interrupted write leaves no draft model.
     *
     * @param tensors by canonical name
     * @param training what to record of its training; may be empty
     * @throws PrismException if the folder can't be written
     */
    public static void write(
            Path folder, DrafterConfig config, Map<String, StoredTensor> tensors, Map<String, String> training) {
        try {
            Files.createDirectories(folder);
            SafeTensors.write(folder.resolve(WEIGHTS), tensors, Map.of("format", "prism"));
        } catch (IOException e) {
            throw cantWrite(folder, e);
        }
        writeConfig(folder, config, training);
    }

    /**
     * Writes the configuration alone, to a folder that has the weights.
     *
     * @throws PrismException if it can't be written
     */
    public static void writeConfig(Path folder, DrafterConfig config, Map<String, String> training) {
        try {
            ConfigFile.write(folder, config, training);
        } catch (IOException e) {
            throw cantWrite(folder, e);
        }
    }

    private static PrismException cantWrite(Path folder, IOException cause) {
        return new PrismException("Can't write the draft model to " + folder + ": " + cause.getMessage(), cause);
    }

    /**
     * Writes a checkpoint of any kind in our own format. Norms and biases stay as they are.
     *
     * @throws PrismException if it has problems; if its matrices are to be encoded and are quantised already or don't
     *     divide into blocks; if it is to draft from all tokens and has a head of its own for fewer
     */
    public static void convert(Checkpoint checkpoint, Path folder, Conversion conversion) {
        checkpoint.requireSound();
        Map<String, StoredTensor> converted = new LinkedHashMap<>();
        checkpoint.tensors().forEach((name, tensor) -> {
            if (conversion.allTokens() && name.equals(TensorNames.DRAFT_VOCABULARY)) {
                requireTargetsHead(checkpoint, tensor);
                return;
            }
            if (conversion.matrices().isEmpty() || tensor.shape().size() != 2 || name.endsWith(TensorNames.SCALES)) {
                converted.putIfAbsent(name, tensor);
                return;
            }
            EncodedMatrix encoded =
                    encoded(checkpoint, name, tensor, conversion.matrices().get());
            converted.put(name, encoded.values());
            encoded.scales().forEach(scales -> converted.put(name + TensorNames.SCALES, scales));
        });
        write(folder, conversion.config(), converted, checkpoint.training());
    }

    private static void requireTargetsHead(Checkpoint checkpoint, StoredTensor draftVocabulary) {
        if (checkpoint.has(TensorNames.HEAD)) {
            throw new PrismException(checkpoint.path() + " has a head of its own for " + draftVocabulary.elements()
                    + " tokens: it can't draft others. Train it with all tokens instead");
        }
    }

    private static EncodedMatrix encoded(Checkpoint checkpoint, String name, StoredTensor tensor, Precision precision) {
        if (!tensor.type().isFloating()) {
            throw new PrismException(checkpoint.path() + ": tensor '" + name + "' is " + tensor.describe()
                    + ", quantised already: convert the original instead");
        }
        if (precision.isQuantized() && tensor.shape().get(1) % Precision.BLOCK != 0) {
            throw new PrismException(checkpoint.path() + ": tensor '" + name + "' is " + tensor.describe() + ": "
                    + precision + " takes blocks of " + Precision.BLOCK + " columns. Choose BF16");
        }
        return EncodedMatrix.of(tensor, precision);
    }
}
