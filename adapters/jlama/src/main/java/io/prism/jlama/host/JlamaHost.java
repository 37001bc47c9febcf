package io.prism.jlama.host;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.ModelSupport;
import com.github.tjake.jlama.safetensors.DType;
import io.prism.jlama.target.JlamaTargets;
import io.prism.kernels.KernelSelection;
import io.prism.kernels.Kernels;
import io.prism.spi.HostedModel;
import io.prism.spi.ModelHost;
import io.prism.spi.PrismException;
import io.prism.spi.TargetModel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** Jlama. */
public final class JlamaHost implements ModelHost {

    @Override
    public String name() {
        return "jlama";
    }

    /**
     * Loads with the types that Jlama's own programs use: F32 activations, quantised to I8 where Jlama can.
     *
     * @param model a folder, or a Hugging Face id, which is downloaded once
     */
    @Override
    public HostedModel load(String model, LoadOptions options) {
        Path folder = folderOf(model);
        ModelFolder.check(folder);
        Kernels kernels = openKernels(options);
        AbstractModel loaded = null;
        TargetModel target = null;
        try {
            String stock = StockOperations.choose(options.stockKernels());
            loaded = loadModel(folder);
            target = JlamaTargets.open(loaded, kernels, options.repack(), options.activations());
            return new JlamaHostedModel(nameOf(model, folder), folder, loaded, kernels, target, stock);
        } catch (RuntimeException | Error e) {
            if (target != null) {
                target.close();
            }
            if (loaded != null) {
                loaded.close();
            }
            kernels.close();
            throw e;
        }
    }

    private static Path folderOf(String model) {
        try {
            Path path = Path.of(model);
            if (Files.exists(path) || !ModelDownload.isId(model)) {
                return path.toAbsolutePath().normalize();
            }
        } catch (InvalidPathException e) {
            throw new PrismException("'" + model + "' is neither a path nor a Hugging Face id (owner/name).", e);
        }
        return ModelDownload.forUser().fetch(model);
    }

    private static String nameOf(String model, Path folder) {
        Path last = folder.getFileName();
        return Files.exists(Path.of(model)) && last != null ? last.toString() : model;
    }

    private static Kernels openKernels(LoadOptions options) {
        try {
            return KernelSelection.select(options.kernels(), JlamaHost.class.getClassLoader())
                    .provider()
                    .open(options.threads());
        } catch (IllegalArgumentException | IllegalStateException e) {
            throw new PrismException(e.getMessage() + " (flag prism.kernels)", e);
        }
    }

    private static AbstractModel loadModel(Path folder) {
        try {
            return ModelSupport.loadModel(folder.toFile(), DType.F32, DType.I8);
        } catch (RuntimeException e) {
            throw new PrismException("Jlama can't load " + folder + ": " + rootOf(e), e);
        }
    }

    private static Throwable rootOf(Throwable e) {
        Throwable root = e;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root;
    }
}
