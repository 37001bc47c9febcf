package io.prism.kernels;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Stream;

/**
 * Chooses among the providers on the class path.
 *
 * @param provider the provider to use
 * @param notes one line for every better provider that was passed over, saying why and what would enable it
 */
public record KernelSelection(KernelProvider provider, List<String> notes) {

    /** Configuration value for "the best that is usable". */
    public static final String AUTO = "auto";

    public KernelSelection {
        notes = List.copyOf(notes);
    }

    /**
     * Finds providers with {@code loader} and selects one.
     *
     * @param name a provider's name, or {@link #AUTO}; the name of a {@link DraftEngineProvider}, which has no operations
     *     of its own to offer, stands for {@link #AUTO} where that is usable
     * @throws IllegalArgumentException if no provider has that name
     * @throws IllegalStateException if the named provider, or every provider, is unusable
     */
    public static KernelSelection select(String name, ClassLoader loader) {
        List<KernelProvider> providers = new ArrayList<>();
        ServiceLoader.load(KernelProvider.class, loader).forEach(providers::add);
        return select(name, providers, DraftEngineSelection.providers(loader));
    }

    static KernelSelection select(String name, List<KernelProvider> providers, List<DraftEngineProvider> engines) {
        for (DraftEngineProvider engine : engines) {
            if (engine.name().equals(name)) {
                DraftEngineSelection.requireUsable(engine);
                return select(AUTO, providers, List.of());
            }
        }
        List<KernelProvider> ordered = providers.stream()
                .sorted(Comparator.comparingInt(KernelProvider::priority).reversed())
                .toList();
        if (!name.equals(AUTO)) {
            return new KernelSelection(forced(name, ordered, engines), List.of());
        }
        List<String> notes = new ArrayList<>();
        for (KernelProvider provider : ordered) {
            if (provider.isUsable()) {
                return new KernelSelection(provider, notes);
            }
            notes.add("Kernels '" + provider.name() + "' not used: " + provider.unusableReason());
        }
        throw new IllegalStateException("No usable kernels. " + String.join(" ", notes));
    }

    private static KernelProvider forced(
            String name, List<KernelProvider> providers, List<DraftEngineProvider> engines) {
        KernelProvider found = providers.stream()
                .filter(provider -> provider.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("Unknown kernels '" + name + "': expected " + AUTO
                        + " or one of "
                        + Stream.concat(
                                        engines.stream().map(DraftEngineProvider::name),
                                        providers.stream().map(KernelProvider::name))
                                .toList()));
        if (!found.isUsable()) {
            throw new IllegalStateException(
                    "Kernels '" + name + "' were asked for but can't be used: " + found.unusableReason());
        }
        return found;
    }
}
