package io.prism.jlama.agent;

import java.util.function.BiFunction;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.implementation.bytecode.assign.Assigner;

/**
 * Inlined into {@code AbstractModel.generate}. Jlama's class loader may know nothing of PRISM, so the code speaks only of
 * JDK types and finds the hook through the system class loader, where the JVM puts an agent's jar. The look-up costs
 * microseconds, a call of generate milliseconds at least.
 */
final class GenerateAdvice {

    private GenerateAdvice() {}

    @Advice.OnMethodEnter(skipOn = Advice.OnNonDefaultValue.class)
    static Object enter(@Advice.This Object model, @Advice.AllArguments Object[] arguments)
            throws ReflectiveOperationException {
        @SuppressWarnings("unchecked")
        BiFunction<Object, Object, Object> hook =
                (BiFunction<Object, Object, Object>) ClassLoader.getSystemClassLoader()
                        .loadClass("io.prism.jlama.agent.JlamaHooks")
                        .getField("GENERATE")
                        .get(null);
        return hook.apply(model, arguments);
    }

    @Advice.OnMethodExit
    @SuppressWarnings("UnusedAssignment") // assigning is how an advice sets what the method returns
    static void exit(
            @Advice.Enter Object response,
            @Advice.Return(readOnly = false, typing = Assigner.Typing.DYNAMIC) Object returned) {
        if (response != null) {
            returned = response;
        }
    }
}
