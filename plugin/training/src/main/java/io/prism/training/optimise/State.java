package io.prism.training.optimise;

import io.prism.drafter.format.StoredTensor;
import io.prism.spi.PrismException;
import io.prism.training.network.LibTorch;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** A running mean of each of some tensors. */
final class State {
    private final String prefix;
    private final Map<String, Tensor> means = new LinkedHashMap<>();

    /** @param prefix of the names it is saved by */
    State(String prefix, Map<String, Tensor> parameters) {
        this.prefix = prefix;
        parameters.forEach((name, tensor) -> means.put(name, torch.zeros(tensor.shape())));
    }

    Tensor of(String parameter) {
        return means.get(parameter);
    }

    void save(Map<String, StoredTensor> into) {
        means.forEach((name, tensor) ->
                into.put(prefix + name, StoredTensor.ofFloats(LibTorch.floats(tensor), tensor.shape())));
    }

    void load(Map<String, StoredTensor> saved) {
        means.forEach((name, tensor) -> {
            StoredTensor entry = saved.get(prefix + name);
            if (entry == null || !entry.shape().equals(LibTorch.shape(tensor))) {
                throw new PrismException("The checkpoint's optimiser state does not fit the drafter at " + prefix + name
                        + ": it belongs to another run. Delete the checkpoint folders to begin anew.");
            }
            tensor.copy_(LibTorch.tensor(entry.floats(), tensor.shape()));
        });
    }
}
