package io.prism.config;

import io.prism.spi.Activations;
import io.prism.spi.PrismException;
import io.prism.verify.SamplingParameters;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Properties;

/**
 * Configuration of a loaded model. {@link Flag} says what each component means.
 *
 * <p>A value comes from the first of these that has it: the system property ({@code -Dprism.tree=6,4,16}), the
 * environment variable ({@code PRISM_TREE}), the file {@code prism.properties} beside the drafter, the default.
 *
 * @param drafter a folder, {@code ngram} or {@code none}; empty for the default
 * @param kernels a kernel provider's name, or {@code auto}
 * @param threads threads to compute with; 0 for one per physical core
 * @param kvMemory in MiB; empty for the default
 */
public record PrismConfig(
        Mode enabled,
        Optional<String> drafter,
        String kernels,
        int threads,
        boolean repack,
        Activations activations,
        TreeSpec tree,
        Optional<Integer> kvMemory,
        Optional<Float> topP,
        Optional<Integer> topK,
        OptionalLong seed,
        Stats stats) {

    /** Name of the file beside a drafter. */
    public static final String FILE_NAME = "prism.properties";

    /** Folder of a model that holds its drafter. */
    public static final String DRAFTER_FOLDER = "prism";

    /** Value of {@link Flag#DRAFTER} for plain decoding. */
    public static final String NO_DRAFTER = "none";

    /** All defaults. */
    public static final PrismConfig DEFAULTS = load(new Properties(), Map.of(), Optional.empty());

    /** When to speculate. */
    public enum Mode {
        AUTO,
        TRUE,
        FALSE
    }

    /** Where statistics of requests go. */
    public enum Stats {
        OFF,
        LOG,
        MICROMETER
    }

    /**
     * Reads the configuration of this process.
     *
     * @param modelFolder the model's folder; its {@value #DRAFTER_FOLDER} folder, or the folder that
     *     {@link Flag#DRAFTER} names, may hold {@value #FILE_NAME}
     * @throws PrismException if a flag is unknown or a value is not accepted
     */
    public static PrismConfig load(Optional<Path> modelFolder) {
        return ConfigReader.ofProcess(modelFolder).read();
    }

    /**
     * Reads configuration from given sources.
     *
     * @param propertiesFile a file that may be missing
     * @throws PrismException if a flag is unknown or a value is not accepted
     */
    public static PrismConfig load(
            Properties systemProperties, Map<String, String> environment, Optional<Path> propertiesFile) {
        return new ConfigReader(systemProperties, environment, propertiesFile).read();
    }

    /** Bytes for the KV caches of requests that run at once. */
    public long kvBytes() {
        return kvMemory.map(mebibytes -> (long) mebibytes << 20)
                .orElseGet(() -> Runtime.getRuntime().maxMemory() / 2);
    }

    /** Sampling at this temperature with the configured top-p and top-k. */
    public SamplingParameters sampling(float temperature) {
        return new SamplingParameters(temperature, topP.orElse(1f), topK.orElse(0));
    }

    public PrismConfig withTree(TreeSpec newTree) {
        return new PrismConfig(
                enabled, drafter, kernels, threads, repack, activations, newTree, kvMemory, topP, topK, seed, stats);
    }

    public PrismConfig withStats(Stats newStats) {
        return new PrismConfig(
                enabled, drafter, kernels, threads, repack, activations, tree, kvMemory, topP, topK, seed, newStats);
    }
}
