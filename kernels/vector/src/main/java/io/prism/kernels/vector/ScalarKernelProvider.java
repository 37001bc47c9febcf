package io.prism.kernels.vector;

import io.prism.kernels.KernelProvider;
import io.prism.kernels.Kernels;

/** Offers {@link ScalarKernels}: usable everywhere, chosen last. */
public final class ScalarKernelProvider implements KernelProvider {

    @Override
    public String name() {
        return "scalar";
    }

    @Override
    public boolean isUsable() {
        return true;
    }

    @Override
    public String unusableReason() {
        return "";
    }

    @Override
    public int priority() {
        return 0;
    }

    /** Opens the kernels; they compute on the caller's thread whatever {@code threads} says. */
    @Override
    public Kernels open(int threads) {
        return new ScalarKernels();
    }
}
