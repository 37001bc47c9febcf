package io.prism.langchain4j;

import dev.langchain4j.model.jlama.JlamaStreamingLanguageModel;
import dev.langchain4j.model.jlama.spi.JlamaStreamingLanguageModelBuilderFactory;
import java.nio.file.Path;

/** Builds streaming language models that generate with PRISM. Found by LangChain4j with {@link java.util.ServiceLoader}. */
public final class PrismStreamingLanguageModelBuilderFactory implements JlamaStreamingLanguageModelBuilderFactory {

    @Override
    public JlamaStreamingLanguageModel.JlamaStreamingLanguageModelBuilder get() {
        return new Builder();
    }

    private static final class Builder extends JlamaStreamingLanguageModel.JlamaStreamingLanguageModelBuilder {
        private final ModelLocation location = new ModelLocation();

        @Override
        public JlamaStreamingLanguageModel.JlamaStreamingLanguageModelBuilder modelCachePath(Path path) {
            location.cache(path);
            return super.modelCachePath(path);
        }

        @Override
        public JlamaStreamingLanguageModel.JlamaStreamingLanguageModelBuilder modelName(String name) {
            location.name(name);
            return super.modelName(name);
        }

        @Override
        public JlamaStreamingLanguageModel build() {
            return HeldModel.attach(super.build(), location.folder());
        }
    }
}
