package io.prism.drafter;

import io.prism.config.PrismConfig;
import io.prism.spi.Drafter;
import io.prism.spi.DrafterProvider;
import io.prism.spi.PrismException;
import io.prism.spi.TargetModel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;

/**
 * The drafter that configuration asks for.
 *
 * @param drafter none for plain decoding
 * @param notes one line for each reason why it is not a better one
 */
public record DrafterSelection(Optional<Drafter> drafter, List<String> notes) {
    private static final Path DEFAULT = Path.of("ngram");

    public DrafterSelection {
        notes = List.copyOf(notes);
    }

    /**
     * Opens it, with the providers that the class loader of this class sees.
     *
     * @param modelFolder where the default drafter may be
     * @throws PrismException if what was asked for is missing, damaged or made for another target
     */
    public static DrafterSelection open(PrismConfig config, Optional<Path> modelFolder, TargetModel target) {
        List<DrafterProvider> providers = new ArrayList<>();
        ServiceLoader.load(DrafterProvider.class, DrafterSelection.class.getClassLoader())
                .forEach(providers::add);
        return open(config, modelFolder, target, providers);
    }

    static DrafterSelection open(
            PrismConfig config, Optional<Path> modelFolder, TargetModel target, List<DrafterProvider> providers) {
        if (target.maxTreeRows() < 2) {
            return new DrafterSelection(
                    Optional.empty(), List.of("this target runs one token at a time, so nothing is drafted"));
        }
        if (config.drafter().isPresent()) {
            String asked = config.drafter().get();
            return asked.equals(PrismConfig.NO_DRAFTER)
                    ? new DrafterSelection(Optional.empty(), List.of())
                    : of(asked(asked, target, config.kernels(), providers), List.of());
        }
        Optional<Path> beside = modelFolder
                .map(folder -> folder.resolve(PrismConfig.DRAFTER_FOLDER))
                .filter(Files::isDirectory);
        if (beside.isEmpty()) {
            return of(
                    provided(DEFAULT, target, config.kernels(), providers).orElseThrow(DrafterSelection::noDefault),
                    List.of());
        }
        Optional<Drafter> found = provided(beside.get(), target, config.kernels(), providers);
        if (found.isPresent()) {
            return of(found.get(), List.of());
        }
        String note =
                "folder " + beside.get() + " holds no drafter this PRISM knows (it knows " + names(providers) + ")";
        return of(
                provided(DEFAULT, target, config.kernels(), providers).orElseThrow(DrafterSelection::noDefault),
                List.of(note));
    }

    private static DrafterSelection of(Drafter drafter, List<String> notes) {
        return new DrafterSelection(Optional.of(drafter), notes);
    }

    private static Drafter asked(String asked, TargetModel target, String kernels, List<DrafterProvider> providers) {
        Path path;
        try {
            path = Path.of(asked);
        } catch (InvalidPathException e) {
            throw new PrismException(notFound(asked, "is no path", providers), e);
        }
        return provided(path, target, kernels, providers)
                .orElseThrow(() -> new PrismException(notFound(
                        asked,
                        Files.isDirectory(path)
                                ? "is a folder without a drafter"
                                : Files.exists(path) ? "is a file" : "does not exist",
                        providers)));
    }

    private static Optional<Drafter> provided(
            Path path, TargetModel target, String kernels, List<DrafterProvider> providers) {
        return providers.stream()
                .filter(provider -> provider.supports(path, target.description()))
                .findFirst()
                .map(provider -> provider.open(path, target, kernels));
    }

    private static String notFound(String asked, String what, List<DrafterProvider> providers) {
        return "prism.drafter=" + asked + " " + what + ": expected a folder with a drafter of a known kind, or one of "
                + names(providers) + ", or " + PrismConfig.NO_DRAFTER + ".";
    }

    private static List<String> names(List<DrafterProvider> providers) {
        return providers.stream().map(DrafterProvider::name).toList();
    }

    private static PrismException noDefault() {
        return new PrismException("The n-gram drafter is missing from the class path, although PRISM's jar holds it: "
                + "use the jar as it was built, its META-INF/services included.");
    }
}
