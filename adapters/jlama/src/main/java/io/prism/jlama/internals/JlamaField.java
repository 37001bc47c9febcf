package io.prism.jlama.internals;

import io.prism.spi.PrismException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * A field of a Jlama class that is not public; thread-safe. It is looked up when first read, so that a missing field is
 * reported by whoever needs it and not as a failed class initialisation.
 *
 * <p>A private look-up, instead of a class of ours in Jlama's own packages, also works when Jlama is on another class
 * loader than this adapter.
 */
final class JlamaField<T> {
    private final Class<?> owner;
    private final String name;
    private final Class<? extends T> type;
    private volatile @Nullable VarHandle handle;

    JlamaField(Class<?> owner, String name, Class<? extends T> type) {
        this.owner = owner;
        this.name = name;
        this.type = type;
    }

    /**
     * The value, which must be there.
     *
     * @throws PrismException if this Jlama has no such field, or it is null
     */
    T get(Object target) {
        T value = find(target);
        if (value == null) {
            throw new PrismException("Jlama's " + owner.getSimpleName() + "." + name
                    + " is not set: expected a model loaded for FULL_GENERATION");
        }
        return value;
    }

    /**
     * The value, or null.
     *
     * @throws PrismException if this Jlama has no such field
     */
    @Nullable
    T find(Object target) {
        return type.cast(handle().get(target));
    }

    /** @throws PrismException if this Jlama has no such field */
    void set(Object target, T value) {
        handle().set(target, value);
    }

    /**
     * Looks it up now.
     *
     * @return this
     * @throws PrismException if this Jlama has no such field
     */
    JlamaField<T> lookedUp() {
        handle();
        return this;
    }

    private VarHandle handle() {
        VarHandle found = handle;
        if (found == null) {
            try {
                found = MethodHandles.privateLookupIn(owner, MethodHandles.lookup())
                        .unreflectVarHandle(owner.getDeclaredField(name));
            } catch (ReflectiveOperationException e) {
                throw new PrismException(
                        "This Jlama has no readable field " + owner.getName() + "." + name + ". Expected Jlama "
                                + ModelMembers.JLAMA_VERSION
                                + ": put that version of jlama-core on the class path",
                        e);
            }
            handle = found;
        }
        return found;
    }
}
