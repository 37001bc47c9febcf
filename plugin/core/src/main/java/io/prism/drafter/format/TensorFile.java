package io.prism.drafter.format;

import io.prism.spi.PrismException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The tensors of a file by name. Read only; safe for use by many threads until closed. */
public final class TensorFile implements AutoCloseable {
    private final Path path;
    private final Map<String, StoredTensor> tensors;
    private final Arena arena;

    TensorFile(Path path, Map<String, StoredTensor> tensors, Arena arena) {
        this.path = path;
        this.tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
        this.arena = arena;
    }

    /**
     * Opens a file of tensors by its name's ending: {@code .safetensors}, or {@code .bin} and {@code .pt} for PyTorch's
     * zip of tensors.
     *
     * @throws PrismException if it can't be read, or is not what it claims to be
     */
    public static TensorFile open(Path path) {
        String name = String.valueOf(path.getFileName());
        try {
            if (name.endsWith(".safetensors")) {
                return SafeTensors.open(path);
            }
            if (name.endsWith(".bin") || name.endsWith(".pt")) {
                return TorchZip.open(path);
            }
        } catch (IOException e) {
            throw new PrismException("Can't read " + path + ": " + e.getMessage(), e);
        }
        throw new PrismException(path + " is no file of tensors: expected a name that ends in .safetensors or .bin");
    }

    public Path path() {
        return path;
    }

    /** All tensors, in the order of the file. */
    public Map<String, StoredTensor> tensors() {
        return tensors;
    }

    /** The tensor of this name, or null. */
    public @Nullable StoredTensor get(String name) {
        return tensors.get(name);
    }

    /** Unmaps the file; its tensors must not be used any more. */
    @Override
    public void close() {
        arena.close();
    }
}
