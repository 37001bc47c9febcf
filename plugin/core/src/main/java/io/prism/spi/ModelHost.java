package io.prism.spi;

/** Loads models of an engine for tools such as the command line; found with {@link java.util.ServiceLoader}. */
public interface ModelHost {

    /** The engine's name, for instance {@code jlama}. */
    String name();

    /**
     * Loads a model.
     *
     * @param model a folder, or an id the engine knows how to download
     * @param options how to load it
     * @throws PrismException if it is missing, damaged or of a kind the engine does not run
     */
    HostedModel load(String model, LoadOptions options);

    /**
     * @param kernels name of the kernels to use, or {@code auto}
     * @param threads threads to use; 0 for one per physical core
     * @param repack whether weights are repacked for speed, at the cost of memory
     * @param activations what quantised weights are multiplied by
     * @param stockKernels what the engine's own decoding computes with, by the engine's own names, or {@code auto}
     */
    record LoadOptions(String kernels, int threads, boolean repack, Activations activations, String stockKernels) {

        /** With {@link Activations#AUTO}. */
        public LoadOptions(String kernels, int threads, boolean repack, String stockKernels) {
            this(kernels, threads, repack, Activations.AUTO, stockKernels);
        }
    }
}
