package io.prism.cli.command;

import io.prism.config.Flag;
import io.prism.config.PrismConfig;
import io.prism.spi.ModelHost.LoadOptions;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options that stand for flags: given here, they win over every other source of configuration. */
final class EngineOptions {

    @Option(
            names = "--kernels",
            paramLabel = "NAME",
            description = "What computes: auto, cuda, vector, scalar (flag prism.kernels).")
    private @Nullable String kernels;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads to compute with; 0: one per physical core (flag prism.threads).")
    private @Nullable String threads;

    @Option(
            names = "--repack",
            paramLabel = "true|false",
            description = "Copy weights into the fastest layout; false saves memory (flag prism.repack).")
    private @Nullable String repack;

    @Option(
            names = "--activations",
            paramLabel = "auto|f32|rounded",
            description = "What Q4 weights are multiplied by (flag prism.activations).")
    private @Nullable String activations;

    /** Configuration without a model's own, enough to load one. */
    LoadOptions loadOptions(String stockKernels) {
        PrismConfig config = PrismConfig.load(properties(), System.getenv(), Optional.empty());
        return new LoadOptions(config.kernels(), config.threads(), config.repack(), config.activations(), stockKernels);
    }

    /**
     * Configuration for decoding.
     *
     * @param modelFolder where the default drafter and its properties file may be
     * @param drafter wins over the flag
     * @param tree wins over the flag
     */
    PrismConfig config(Path modelFolder, Optional<String> drafter, Optional<String> tree) {
        Properties properties = properties();
        drafter.ifPresent(value -> properties.setProperty(Flag.DRAFTER.property(), value));
        tree.ifPresent(value -> properties.setProperty(Flag.TREE.property(), value));
        String named = properties.getProperty(
                Flag.DRAFTER.property(), System.getenv().get(Flag.DRAFTER.environmentVariable()));
        Path folder = asFolder(named).orElse(modelFolder.resolve(PrismConfig.DRAFTER_FOLDER));
        return PrismConfig.load(properties, System.getenv(), Optional.of(folder.resolve(PrismConfig.FILE_NAME)));
    }

    private Properties properties() {
        Properties properties = new Properties();
        System.getProperties()
                .stringPropertyNames()
                .forEach(name -> properties.setProperty(name, System.getProperty(name)));
        set(properties, Flag.KERNELS, kernels);
        set(properties, Flag.THREADS, threads);
        set(properties, Flag.REPACK, repack);
        set(properties, Flag.ACTIVATIONS, activations);
        return properties;
    }

    private static void set(Properties properties, Flag flag, @Nullable String value) {
        if (value != null) {
            properties.setProperty(flag.property(), value);
        }
    }

    private static Optional<Path> asFolder(@Nullable String drafter) {
        if (drafter == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(Path.of(drafter)).filter(Files::isDirectory);
        } catch (InvalidPathException notAPath) {
            return Optional.empty();
        }
    }
}
