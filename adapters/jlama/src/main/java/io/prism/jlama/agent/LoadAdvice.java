package io.prism.jlama.agent;

import java.util.function.BiConsumer;
import net.bytebuddy.asm.Advice;

/** Inlined into {@code ModelSupport.loadModel}; see {@link GenerateAdvice} for how it finds its hook. */
final class LoadAdvice {

    private LoadAdvice() {}

    @Advice.OnMethodExit
    static void exit(@Advice.Return Object model, @Advice.Argument(1) Object location)
            throws ReflectiveOperationException {
        @SuppressWarnings("unchecked")
        BiConsumer<Object, Object> hook = (BiConsumer<Object, Object>) ClassLoader.getSystemClassLoader()
                .loadClass("io.prism.jlama.agent.JlamaHooks")
                .getField("LOADED")
                .get(null);
        hook.accept(model, location);
    }
}
