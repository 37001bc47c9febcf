package io.prism.training.optimise;

import io.prism.drafter.format.StoredTensor;
import io.prism.spi.PrismException;
import io.prism.training.network.DraftNetwork;
import io.prism.training.plan.OptimiserPlan;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * Updates a drafter's parameters, with a state that can be saved and taken up again exactly. Tensors belong to the pointer
 * scope that encloses the creation. Not thread-safe.
 */
public sealed interface Optimiser permits AdamW, Muon {

    /** An optimiser of all parameters of a network. */
    static Optimiser of(DraftNetwork network, OptimiserPlan plan) {
        return switch (plan.kind()) {
            case ADAMW -> new AdamW(network.parameters().tensors(), plan);
            case MUON -> new Muon(network, plan);
        };
    }

    /**
     * Begins a step.
     *
     * @param gradients one of each parameter, in order; clipped in place
     * @return the updates that make up the step, the longest first. They may run at the same time, and all have to before the next step
     *     begins
     */
    List<Runnable> updates(List<Tensor> gradients, double learningRate);

    /** The state by parameter; the count of steps is the caller's to keep. */
    Map<String, StoredTensor> save();

    /**
     * Takes up a saved state.
     *
     * @param steps how many steps there had been
     * @throws PrismException if it is another drafter's or another optimiser's
     */
    void load(Map<String, StoredTensor> saved, long steps);
}
