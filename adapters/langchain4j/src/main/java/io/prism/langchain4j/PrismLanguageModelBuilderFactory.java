package io.prism.langchain4j;

import dev.langchain4j.model.jlama.JlamaLanguageModel;
import dev.langchain4j.model.jlama.spi.JlamaLanguageModelBuilderFactory;
import java.nio.file.Path;

/** Builds language models that generate with PRISM. Found by LangChain4j with {@link java.util.ServiceLoader}. */
public final class PrismLanguageModelBuilderFactory implements JlamaLanguageModelBuilderFactory {

    @Override
    public JlamaLanguageModel.JlamaLanguageModelBuilder get() {
        return new Builder();
    }

    private static final class Builder extends JlamaLanguageModel.JlamaLanguageModelBuilder {
        private final ModelLocation location = new ModelLocation();

        @Override
        public JlamaLanguageModel.JlamaLanguageModelBuilder modelCachePath(Path path) {
            location.cache(path);
            return super.modelCachePath(path);
        }

        @Override
        public JlamaLanguageModel.JlamaLanguageModelBuilder modelName(String name) {
            location.name(name);
            return super.modelName(name);
        }

        @Override
        public JlamaLanguageModel build() {
            return HeldModel.attach(super.build(), location.folder());
        }
    }
}
