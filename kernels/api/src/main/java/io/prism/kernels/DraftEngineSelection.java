package io.prism.kernels;

import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;

/**
 * Chooses what whole rounds are drafted on.
 *
 * @param provider none if the host's kernels draft
 * @param forced whether configuration names it, so that drafting elsewhere is an error
 * @param notes one line for every provider that could have been taken but is unusable, saying why
 */
public record DraftEngineSelection(Optional<DraftEngineProvider> provider, boolean forced, List<String> notes) {

    public DraftEngineSelection {
        notes = List.copyOf(notes);
    }

    /**
     * Finds providers with {@code loader} and selects one.
     *
     * @param name a provider's name forces it; {@link KernelSelection#AUTO} takes the first that is usable, any other
     *     name none
     * @throws IllegalStateException if the named provider is unusable
     */
    public static DraftEngineSelection select(String name, ClassLoader loader) {
        return select(name, providers(loader));
    }

    static List<DraftEngineProvider> providers(ClassLoader loader) {
        return ServiceLoader.load(DraftEngineProvider.class, loader).stream()
                .map(ServiceLoader.Provider::get)
                .toList();
    }

    static DraftEngineSelection select(String name, List<DraftEngineProvider> providers) {
        Optional<DraftEngineProvider> named =
                providers.stream().filter(it -> it.name().equals(name)).findFirst();
        if (named.isPresent()) {
            requireUsable(named.get());
            return new DraftEngineSelection(named, true, List.of());
        }
        if (!name.equals(KernelSelection.AUTO)) {
            return new DraftEngineSelection(Optional.empty(), false, List.of());
        }
        List<String> notes = providers.stream()
                .filter(it -> !it.isUsable())
                .map(it -> "'" + it.name() + "' not used: " + it.unusableReason())
                .toList();
        return new DraftEngineSelection(
                providers.stream().filter(DraftEngineProvider::isUsable).findFirst(), false, notes);
    }

    static void requireUsable(DraftEngineProvider provider) {
        if (!provider.isUsable()) {
            throw new IllegalStateException(
                    "Kernels '" + provider.name() + "' were asked for but can't be used: " + provider.unusableReason());
        }
    }
}
