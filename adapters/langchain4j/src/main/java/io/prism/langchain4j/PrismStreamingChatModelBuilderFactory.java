package io.prism.langchain4j;

import dev.langchain4j.model.jlama.JlamaStreamingChatModel;
import dev.langchain4j.model.jlama.spi.JlamaStreamingChatModelBuilderFactory;
import java.nio.file.Path;

/** Builds streaming chat models that generate with PRISM. Found by LangChain4j with {@link java.util.ServiceLoader}. */
public final class PrismStreamingChatModelBuilderFactory implements JlamaStreamingChatModelBuilderFactory {

    @Override
    public JlamaStreamingChatModel.JlamaStreamingChatModelBuilder get() {
        return new Builder();
    }

    private static final class Builder extends JlamaStreamingChatModel.JlamaStreamingChatModelBuilder {
        private final ModelLocation location = new ModelLocation();

        @Override
        public JlamaStreamingChatModel.JlamaStreamingChatModelBuilder modelCachePath(Path path) {
            location.cache(path);
            return super.modelCachePath(path);
        }

        @Override
        public JlamaStreamingChatModel.JlamaStreamingChatModelBuilder modelName(String name) {
            location.name(name);
            return super.modelName(name);
        }

        @Override
        public JlamaStreamingChatModel build() {
            return HeldModel.attach(super.build(), location.folder());
        }
    }
}
