package io.prism.jlama.agent;

import static net.bytebuddy.matcher.ElementMatchers.isMethod;
import static net.bytebuddy.matcher.ElementMatchers.named;
import static net.bytebuddy.matcher.ElementMatchers.takesArgument;
import static net.bytebuddy.matcher.ElementMatchers.takesArguments;

import java.io.File;
import java.util.UUID;
import net.bytebuddy.ByteBuddy;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.description.type.TypeDescription;
import net.bytebuddy.dynamic.ClassFileLocator;
import net.bytebuddy.pool.TypePool;

/** Inlines the advices into class files of Jlama; neither members nor hierarchy change. */
final class JlamaWeaver {
    static final String MODEL = "com.github.tjake.jlama.model.AbstractModel";
    static final String MODEL_SUPPORT = "com.github.tjake.jlama.model.ModelSupport";

    private JlamaWeaver() {}

    /** @throws IllegalStateException if the class has not the method that is to be hooked */
    static byte[] weave(String name, byte[] classFile, ClassLoader loader) {
        ClassFileLocator locator = new ClassFileLocator.Compound(
                ClassFileLocator.Simple.of(name, classFile), ClassFileLocator.ForClassLoader.of(loader));
        TypeDescription type = TypePool.Default.of(locator).describe(name).resolve();
        var advice = name.equals(MODEL)
                ? Advice.to(GenerateAdvice.class)
                        .on(named("generate").and(takesArguments(5)).and(takesArgument(0, UUID.class)))
                : Advice.to(LoadAdvice.class)
                        .on(named("loadModel").and(takesArguments(9)).and(takesArgument(1, File.class)));
        String method = name.equals(MODEL) ? "generate" : "loadModel";
        int parameters = name.equals(MODEL) ? 5 : 9;
        if (type.getDeclaredMethods()
                .filter(isMethod().and(named(method)).and(takesArguments(parameters)))
                .isEmpty()) {
            throw new IllegalStateException("it has no method " + method + " with " + parameters + " parameters");
        }
        return new ByteBuddy().decorate(type, locator).visit(advice).make().getBytes();
    }
}
