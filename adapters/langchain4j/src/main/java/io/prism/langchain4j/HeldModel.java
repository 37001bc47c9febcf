package io.prism.langchain4j;

import com.github.tjake.jlama.model.AbstractModel;
import io.prism.jlama.Prism;
import io.prism.spi.PrismException;
import java.lang.reflect.Field;
import java.lang.reflect.InaccessibleObjectException;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Jlama's model inside one of LangChain4j's. LangChain4j loads it itself and offers no way to hand it another, so the field
 * that holds it is set, before anyone else has seen the object.
 */
final class HeldModel {
    private static final Logger LOG = LoggerFactory.getLogger(HeldModel.class);
    private static final String FIELD = "model";

    private HeldModel() {}

    /**
     * Has a model generate with PRISM. Where that is impossible it generates as before, and a warning says why.
     *
     * @param built of LangChain4j; nobody else must have it yet
     * @param folder of the model
     * @return {@code built}
     * @throws PrismException if {@code prism.enabled=true} and it is impossible, or a flag is wrong
     */
    static <T> T attach(T built, Optional<Path> folder) {
        try {
            Field field = built.getClass().getDeclaredField(FIELD);
            field.setAccessible(true);
            AbstractModel model = (AbstractModel) field.get(built);
            AbstractModel attached = folder.isPresent() ? Prism.attach(model, folder.get()) : Prism.attach(model);
            if (attached != model) {
                field.set(built, attached);
            }
        } catch (NoSuchFieldException | ClassCastException | IllegalAccessException | InaccessibleObjectException e) {
            LOG.warn(
                    "PRISM is not active for this {}: {}. prism-langchain4j is made for langchain4j-jlama 1.11.0-beta19 on an"
                            + " unmodified JVM; with another one start the program with -javaagent:prism-jlama-<version>.jar",
                    built.getClass().getSimpleName(),
                    e.toString());
        }
        return built;
    }
}
