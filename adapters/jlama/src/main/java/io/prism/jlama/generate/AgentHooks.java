package io.prism.jlama.generate;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.safetensors.prompt.PromptContext;
import io.prism.jlama.agent.PluginHooks;
import java.io.File;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** The agent's way to the models; brought up by name, on a class loader that sees the application's Jlama. */
public final class AgentHooks implements PluginHooks {

    @Override
    public void loaded(Object model, File location) {
        ModelRuntime.of((AbstractModel) model, Optional.of(location).map(File::toPath))
                .prepareIfRequired();
    }

    @Override
    @SuppressWarnings("unchecked") // the parameters of AbstractModel.generate, in order
    public @Nullable Object generate(Object model, Object[] arguments) {
        return ModelRuntime.of((AbstractModel) model, Optional.<Path>empty())
                .generate(
                        (UUID) arguments[0],
                        (PromptContext) arguments[1],
                        (float) arguments[2],
                        (int) arguments[3],
                        (BiConsumer<String, Float>) arguments[4]);
    }
}
