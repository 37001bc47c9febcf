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
import java.util.Optional;

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
     * Writes a checkpoint of any kind in our own format, its matrices in another precision. Norms, biases and the draft
     * vocabulary stay as they are.
     *
     * @param precision of the matrices; empty to leave them as they are
     * @param config what to write as its configuration: the checkpoint's, bound to a target perhaps
     * @throws PrismException if it has problems, is quantised already, or a matrix does not divide into blocks
     */
    public static void convert(
            Checkpoint checkpoint, Path folder, Optional<Precision> precision, DrafterConfig config) {
        checkpoint.requireSound();
        Map<String, StoredTensor> converted = new LinkedHashMap<>();
        checkpoint.tensors().forEach((name, tensor) -> {
            if (precision.isEmpty() || tensor.shape().size() != 2 || name.endsWith(TensorNames.SCALES)) {
                converted.putIfAbsent(name, tensor);
                return;
            }
            if (!tensor.type().isFloating()) {
                throw new PrismException(checkpoint.path() + ": tensor '" + name + "' is " + tensor.describe()
                        + ", quantised already: convert the original instead");
            }
            if (precision.get().isQuantized() && tensor.shape().get(1) % Precision.BLOCK != 0) {
                throw new PrismException(checkpoint.path() + ": tensor '" + name + "' is " + tensor.describe()
                        + ": " + precision.get() + " takes blocks of " + Precision.BLOCK
                        + " columns. Choose BF16");
            }
            EncodedMatrix encoded = EncodedMatrix.of(tensor, precision.get());
            converted.put(name, encoded.values());
            encoded.scales().forEach(scales -> converted.put(name + TensorNames.SCALES, scales));
        });
        write(folder, config, converted, checkpoint.training());
    }
}
