package io.prism.jlama;

import com.github.tjake.jlama.model.AbstractModel;
import io.prism.config.PrismConfig;
import io.prism.decode.RequestStatistics;
import io.prism.jlama.generate.ModelRuntime;
import io.prism.spi.PrismException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BiConsumer;

/**
 * PRISM for models that a program has loaded with Jlama. All methods are thread-safe and take both a model of Jlama's and
 * what {@link #attach} gave for it.
 */
public final class Prism {

    private Prism() {}

    /**
     * As {@link #attach(AbstractModel, Path)}, without a folder to look for a drafter and {@code prism.properties}.
     *
     * @throws PrismException if a flag is wrong, {@code prism.enabled=true} and the model can't be run, or this is not
     *     Jlama 0.8.4
     */
    public static AbstractModel attach(AbstractModel model) {
        return attach(model, Optional.empty());
    }

    /**
     * A model that generates with PRISM and shares the given one's weights; closing either closes both. Attaching twice,
     * or where the agent is active, is harmless. Where PRISM can't be active a warning says why, and the model given back
     * generates as Jlama does; with {@code prism.enabled=false} it is the given one itself.
     *
     * @param folder the model's folder
     * @throws PrismException if a flag is wrong, {@code prism.enabled=true} and the model can't be run, or this is not
     *     Jlama 0.8.4
     */
    public static AbstractModel attach(AbstractModel model, Path folder) {
        return attach(model, Optional.of(folder));
    }

    private static AbstractModel attach(AbstractModel model, Optional<Path> folder) {
        if (model instanceof PrismModel || isDisabled(folder)) {
            return model;
        }
        ModelRuntime runtime = ModelRuntime.of(model, folder);
        runtime.prepare();
        return new PrismModel(model, runtime);
    }

    private static boolean isDisabled(Optional<Path> folder) {
        return PrismConfig.load(folder).enabled() == PrismConfig.Mode.FALSE;
    }

    /** What is active and why, in a line for people; empty if Jlama generates by itself. */
    public static Optional<String> describe(AbstractModel model) {
        return runtime(model).description();
    }

    /**
     * Statistics of the last request of a session.
     *
     * @return empty if PRISM did not generate it or has forgotten the session, as it does with the longest unused ones
     */
    public static Optional<RequestStatistics> statistics(AbstractModel model, UUID session) {
        return runtime(model).lastStatistics(session);
    }

    /**
     * Has every request's statistics told to a listener, on the request's thread after its last token. An exception of the
     * listener is logged.
     *
     * @param listener takes the session and the statistics
     * @return stops it
     */
    public static AutoCloseable listen(AbstractModel model, BiConsumer<UUID, RequestStatistics> listener) {
        ModelRuntime runtime = runtime(model);
        runtime.addListener(listener);
        return () -> runtime.removeListener(listener);
    }

    private static ModelRuntime runtime(AbstractModel model) {
        AbstractModel jlamas = model instanceof PrismModel wrapper ? wrapper.model() : model;
        return ModelRuntime.of(jlamas, Optional.empty());
    }
}
