package io.prism.jlama.generate;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.functions.Generator;
import com.github.tjake.jlama.safetensors.prompt.PromptContext;
import io.prism.config.PrismConfig;
import io.prism.config.PrismConfig.Mode;
import io.prism.decode.RequestStatistics;
import io.prism.jlama.internals.ModelMembers;
import io.prism.spi.PrismException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * PRISM's state of one of Jlama's models, from the first time that PRISM meets the model until the model is closed or
 * forgotten. Thread-safe.
 *
 * <p>What takes time and memory is opened when the model is first asked to generate, or by {@link #prepare}; if that fails
 * and {@code prism.enabled} is not {@code true}, one warning says why, and Jlama generates by itself from then on. A model
 * that generates again after it was closed opens everything anew, as Jlama's models do.
 */
public final class ModelRuntime implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ModelRuntime.class);

    private final AbstractModel model;
    private final Optional<Path> folder;
    private final ModelMembers members;
    private final RequestReports reports = new RequestReports();

    private @Nullable Engine engine;
    private boolean jlamaGenerates;

    private ModelRuntime(AbstractModel model, Optional<Path> folder, ModelMembers members) {
        this.model = model;
        this.folder = folder;
        this.members = members;
    }

    /**
     * The state of a model, made now if there is none yet.
     *
     * @param location the model's folder or a file in it, where a drafter may be; only used when the state is made
     * @throws PrismException if this is not Jlama 0.8.4
     */
    public static ModelRuntime of(AbstractModel model, Optional<Path> location) {
        synchronized (model) {
            ModelMembers members = new ModelMembers();
            if (members.kvBufferCache(model) instanceof RuntimeHolder holder) {
                return holder.runtime();
            }
            ModelRuntime runtime = new ModelRuntime(model, location.map(ModelRuntime::folderOf), members);
            members.setKvBufferCache(model, new RuntimeHolder(model, runtime, members.kvBufferCache(model)));
            return runtime;
        }
    }

    private static Path folderOf(Path location) {
        Path parent = location.getParent();
        return Files.isRegularFile(location) && parent != null ? parent : location;
    }

    /**
     * Opens what generation needs, if it is not open.
     *
     * @throws PrismException if {@code prism.enabled=true} and the model can't be run
     */
    public void prepare() {
        ready();
    }

    /** As {@link #prepare}, but only if {@code prism.enabled=true}, which asks for failures when a model is loaded. */
    public void prepareIfRequired() {
        if (model.getInferenceType() == AbstractModel.InferenceType.FULL_GENERATION && isRequired()) {
            ready();
        }
    }

    /** Whether flags ask for PRISM; a mistake in them is reported by {@link #ready} in its own way. */
    private boolean isRequired() {
        try {
            return PrismConfig.load(folder).enabled() == Mode.TRUE;
        } catch (PrismException e) {
            return true;
        }
    }

    /**
     * Generates as {@link Generator#generate}.
     *
     * @return null if Jlama is to generate by itself
     * @throws IllegalArgumentException if the prompt exceeds the limit of tokens
     * @throws PrismException if {@code prism.enabled=true} and the model can't be run
     */
    public Generator.@Nullable Response generate(
            UUID session,
            PromptContext prompt,
            float temperature,
            int ntokens,
            BiConsumer<String, Float> onTokenWithTimings) {
        Engine current = ready();
        while (current != null && !current.tryUse()) {
            current = ready();
        }
        if (current == null) {
            return null;
        }
        try {
            return current.generator().generate(session, prompt, temperature, ntokens, onTokenWithTimings);
        } finally {
            current.release();
        }
    }

    /** Statistics of a session's last request; empty if PRISM did not generate it, or the session is forgotten. */
    public Optional<RequestStatistics> lastStatistics(UUID session) {
        Engine current;
        synchronized (this) {
            current = engine;
        }
        return current == null ? Optional.empty() : current.generator().lastStatistics(session);
    }

    /** What is active and why, in a line for people; empty if Jlama generates by itself or nothing was opened yet. */
    public synchronized Optional<String> description() {
        return Optional.ofNullable(engine).map(Engine::description);
    }

    /** Adds a listener to the statistics of every request; called on the request's thread after its last token. */
    public void addListener(BiConsumer<UUID, RequestStatistics> listener) {
        reports.add(listener);
    }

    public void removeListener(BiConsumer<UUID, RequestStatistics> listener) {
        reports.remove(listener);
    }

    private synchronized @Nullable Engine ready() {
        if (engine != null || jlamaGenerates) {
            return engine;
        }
        if (model.getInferenceType() != AbstractModel.InferenceType.FULL_GENERATION) {
            jlamaGenerates = true;
            return null;
        }
        Mode mode = Mode.AUTO;
        try {
            PrismConfig config = PrismConfig.load(folder);
            mode = config.enabled();
            if (mode == Mode.FALSE) {
                jlamaGenerates = true;
                return null;
            }
            Engine opened = Engine.open(model, name(), folder, members, config, reports, this);
            engine = opened;
            LOG.info("PRISM is active for {}: {}", name(), opened.description());
            return opened;
        } catch (RuntimeException | LinkageError | OutOfMemoryError e) {
            if (mode == Mode.TRUE || requiredByProperty()) {
                throw new PrismException(
                        "prism.enabled=true, but PRISM can't be active for " + name() + ": " + reason(e)
                                + " (prism.enabled=auto would let Jlama generate by itself)",
                        e);
            }
            jlamaGenerates = true;
            LOG.warn("PRISM is not active for {}: {} Jlama generates by itself.", name(), reason(e));
            LOG.debug("Why PRISM is not active", e);
            return null;
        }
    }

    /** Flags that can't be read as a whole may still say this. */
    private static boolean requiredByProperty() {
        return "true".equalsIgnoreCase(System.getProperty("prism.enabled", System.getenv("PRISM_ENABLED")));
    }

    private static String reason(Throwable e) {
        String message = e instanceof PrismException ? e.getMessage() : e.toString();
        return message.endsWith(".") ? message : message + ".";
    }

    private String name() {
        return folder.map(Path::getFileName)
                .map(Path::toString)
                .orElseGet(() -> "a " + model.getModelType() + " model");
    }

    /** Gives back memory and threads. */
    @Override
    public void close() {
        Engine closing;
        synchronized (this) {
            closing = engine;
            engine = null;
        }
        if (closing != null) {
            closing.close();
        }
    }
}
