package io.prism.langchain4j;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Where LangChain4j keeps a model, by what its builder was told. Not thread-safe. */
final class ModelLocation {
    private @Nullable Path cache;
    private @Nullable String name;

    void cache(@Nullable Path path) {
        cache = path;
    }

    void name(@Nullable String ownerAndName) {
        name = ownerAndName;
    }

    /** The model's folder, where a drafter and {@code prism.properties} may be; empty if it is not where it should be. */
    Optional<Path> folder() {
        if (name == null) {
            return Optional.empty();
        }
        Path models = cache != null ? cache : Path.of(System.getProperty("user.home", ""), ".jlama", "models");
        return Optional.of(models.resolve(name.replace('/', '_'))).filter(Files::isDirectory);
    }
}
