package io.prism.langchain4j;

import dev.langchain4j.model.jlama.JlamaChatModel;
import dev.langchain4j.model.jlama.spi.JlamaChatModelBuilderFactory;
import java.nio.file.Path;

/** Builds chat models that generate with PRISM. Found by LangChain4j with {@link java.util.ServiceLoader}. */
public final class PrismChatModelBuilderFactory implements JlamaChatModelBuilderFactory {

    @Override
    public JlamaChatModel.JlamaChatModelBuilder get() {
        return new Builder();
    }

    private static final class Builder extends JlamaChatModel.JlamaChatModelBuilder {
        private final ModelLocation location = new ModelLocation();

        @Override
        public JlamaChatModel.JlamaChatModelBuilder modelCachePath(Path path) {
            location.cache(path);
            return super.modelCachePath(path);
        }

        @Override
        public JlamaChatModel.JlamaChatModelBuilder modelName(String name) {
            location.name(name);
            return super.modelName(name);
        }

        @Override
        public JlamaChatModel build() {
            return HeldModel.attach(super.build(), location.folder());
        }
    }
}
