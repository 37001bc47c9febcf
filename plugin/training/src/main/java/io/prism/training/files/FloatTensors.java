package io.prism.training.files;

import io.prism.drafter.format.SafeTensors;
import io.prism.drafter.format.StoredTensor;
import io.prism.drafter.format.TensorFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Files of F32 tensors, in memory as a whole. */
public final class FloatTensors {
    private static final Map<String, String> METADATA = Map.of("format", "pt");

    private FloatTensors() {}

    /** Writes tensors in the order of the map. */
    public static void write(Path file, Map<String, StoredTensor> tensors) throws IOException {
        SafeTensors.write(file, tensors, METADATA);
    }

    /**
     * Reads the tensors of a floating type.
     *
     * @throws io.prism.spi.PrismException if the file is damaged
     */
    public static Map<String, StoredTensor> read(Path file) {
        Map<String, StoredTensor> copies = new LinkedHashMap<>();
        try (TensorFile opened = TensorFile.open(file)) {
            opened.tensors().forEach((name, tensor) -> {
                if (tensor.type().isFloating()) {
                    long[] shape =
                            tensor.shape().stream().mapToLong(Long::longValue).toArray();
                    copies.put(name, StoredTensor.ofFloats(tensor.floats(), shape));
                }
            });
        }
        return copies;
    }
}
