package io.prism.training.network;

import io.prism.drafter.format.StoredTensor;
import io.prism.spi.PrismException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.bytedeco.pytorch.Tensor;

/** Named trainable tensors in a fixed order. */
public final class Parameters {
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    /** Adds a matrix with uniform values of variance 1 / (3 columns), as PyTorch's linear layers start. */
    Tensor matrix(String name, long rows, long columns, SplittableRandom random) {
        float bound = (float) (1 / Math.sqrt(columns));
        float[] values = new float[Math.toIntExact(rows * columns)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextDouble(-bound, bound);
        }
        return add(name, LibTorch.tensor(values, rows, columns));
    }

    Tensor vector(String name, long length, float value) {
        float[] values = new float[Math.toIntExact(length)];
        Arrays.fill(values, value);
        return add(name, LibTorch.tensor(values, length));
    }

    Tensor add(String name, Tensor tensor) {
        tensor.set_requires_grad(true);
        tensors.put(name, tensor);
        return tensor;
    }

    public Map<String, Tensor> tensors() {
        return tensors;
    }

    public long elements() {
        return tensors.values().stream().mapToLong(Tensor::numel).sum();
    }

    public Map<String, StoredTensor> save() {
        Map<String, StoredTensor> saved = new LinkedHashMap<>();
        tensors.forEach(
                (name, tensor) -> saved.put(name, StoredTensor.ofFloats(LibTorch.floats(tensor), tensor.shape())));
        return saved;
    }

    /**
     * Takes over values.
     *
     * @throws PrismException if a tensor is missing or of another shape
     */
    public void load(Map<String, StoredTensor> saved) {
        tensors.forEach((name, tensor) -> copy(name, tensor, saved));
    }

    /** Copies the saved tensor of this name into {@code tensor}. */
    static void copy(String name, Tensor tensor, Map<String, StoredTensor> saved) {
        StoredTensor entry = saved.get(name);
        if (entry == null || !entry.shape().equals(LibTorch.shape(tensor))) {
            throw new PrismException("Weights to start from have "
                    + (entry == null ? "no tensor " : "the shape " + entry.shape() + " in ") + name
                    + ": expected the shape " + LibTorch.shape(tensor)
                    + ". They belong to another recipe or target.");
        }
        tensor.detach().copy_(LibTorch.tensor(entry.floats(), tensor.shape()));
    }
}
