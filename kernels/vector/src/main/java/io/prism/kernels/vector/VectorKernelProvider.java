package io.prism.kernels.vector;

import io.prism.kernels.KernelProvider;
import io.prism.kernels.Kernels;

/**
 * Offers {@link VectorKernels}: kernels on the Vector API.
 *
 * <p>Loads without the incubator module; nothing here refers to its types.
 */
public final class VectorKernelProvider implements KernelProvider {
    private static final String MODULE = "jdk.incubator.vector";
    private static final String MANAGEMENT = "java.management";

    @Override
    public String name() {
        return "vector";
    }

    @Override
    public boolean isUsable() {
        return unusableReason().isEmpty();
    }

    @Override
    public String unusableReason() {
        if (ModuleLayer.boot().findModule(MODULE).isEmpty()) {
            return "the Java Vector API is not readable; start java with '--add-modules " + MODULE + "'.";
        }
        return "";
    }

    @Override
    public int priority() {
        return 50;
    }

    @Override
    public Kernels open(int threads) {
        if (threads < 0) {
            throw new IllegalArgumentException(
                    "Kernels on " + threads + " threads: expected 0 (one per physical core) or a positive number");
        }
        String reason = unusableReason();
        if (!reason.isEmpty()) {
            throw new IllegalStateException("Kernels '" + name() + "' can't be used: " + reason);
        }
        if (ModuleLayer.boot().findModule(MANAGEMENT).isPresent()) {
            InliningDirectives.give(); // a runtime without the module could not even load that class
        }
        MixedProfiles.begin();
        return new VectorKernels(new WorkerTeam(threads == 0 ? PhysicalCores.count() : threads));
    }
}
