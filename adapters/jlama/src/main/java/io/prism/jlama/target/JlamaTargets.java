package io.prism.jlama.target;

import com.github.tjake.jlama.model.AbstractModel;
import io.prism.jlama.internals.UnsupportedModelException;
import io.prism.jlama.stock.StockChainTarget;
import io.prism.kernels.Kernels;
import io.prism.spi.Activations;
import io.prism.spi.PrismException;
import io.prism.spi.TargetModel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds the way to run a model that Jlama has loaded. Stateless. */
public final class JlamaTargets {
    private static final Logger LOGGER = LoggerFactory.getLogger(JlamaTargets.class);

    private JlamaTargets() {}

    /**
     * Opens a model: with our own forward pass where it can compute the model, else through Jlama's.
     *
     * @param kernels compute our forward pass; belong to the caller, and stay open as long as the target
     * @param repack whether weights are copied into the layout that is read fastest
     * @param activations what quantised weights that are repacked are multiplied by
     * @throws UnsupportedModelException with the reason, if only stock Jlama can run it (a distributed model, or one
     *     that does not generate text)
     * @throws PrismException if the weights are damaged, or memory does not suffice
     */
    public static TargetModel open(AbstractModel model, Kernels kernels, boolean repack, Activations activations) {
        try {
            return JlamaTarget.of(model, kernels, repack, activations);
        } catch (UnsupportedModelException reason) {
            StockChainTarget target = StockChainTarget.of(model);
            LOGGER.info("Verifying through {}: {}", target.engine(), reason.getMessage());
            return target;
        }
    }
}
