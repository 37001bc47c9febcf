package io.prism.kernels.cuda;

import io.prism.kernels.DraftEngine;
import io.prism.kernels.DraftEngineProvider;
import io.prism.kernels.DraftWeights;

/** Offers {@link CudaDraftEngine}. Loads on machines without JCuda or a driver; nothing here refers to their types. */
public final class CudaDraftEngineProvider implements DraftEngineProvider {

    @Override
    public String name() {
        return "cuda";
    }

    @Override
    public boolean isUsable() {
        return unusableReason().isEmpty();
    }

    @Override
    public String unusableReason() {
        return CudaProbe.unusableReason();
    }

    @Override
    public DraftEngine open(DraftWeights weights) {
        String reason = unusableReason();
        if (!reason.isEmpty()) {
            throw new IllegalStateException("Kernels '" + name() + "' can't be used: " + reason);
        }
        return CudaDraftEngine.open(weights);
    }
}
