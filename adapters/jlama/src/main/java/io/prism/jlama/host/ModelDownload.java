package io.prism.jlama.host;

import com.github.tjake.jlama.safetensors.SafeTensorSupport;
import io.prism.spi.PrismException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Fetches models from Hugging Face with Jlama's own downloader, once each. */
final class ModelDownload {
    private static final Logger LOG = LoggerFactory.getLogger(ModelDownload.class);
    private static final Pattern ID = Pattern.compile("[\\w.-]+/[\\w.-]+");

    private final Path cache;

    /** @param cache folder that holds one folder for each model */
    ModelDownload(Path cache) {
        this.cache = cache;
    }

    /** Where downloads of this user go. */
    static ModelDownload forUser() {
        return new ModelDownload(Path.of(System.getProperty("user.home"), ".cache", "prism", "models"));
    }

    static boolean isId(String model) {
        return ID.matcher(model).matches();
    }

    /**
     * The folder of a model, downloaded if it is not there yet.
     *
     * @throws PrismException if that fails
     */
    Path fetch(String id) {
        try {
            LOG.info("Model {} is taken from, or downloaded to, {}", id, cache);
            return SafeTensorSupport.maybeDownloadModel(cache.toString(), id).toPath();
        } catch (IOException | RuntimeException e) {
            throw new PrismException(
                    "Can't download '" + id + "' to " + cache + " (" + e.getMessage()
                            + "): expected a folder that exists,"
                            + " or the id of a public Hugging Face model with safetensors weights, and a network."
                            + " A model downloaded by hand works as a folder.",
                    e);
        }
    }
}
