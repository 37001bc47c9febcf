package org.acme;

import dev.langchain4j.model.chat.ChatModel;
import io.quarkus.runtime.QuarkusApplication;
import io.quarkus.runtime.annotations.QuarkusMain;
import jakarta.inject.Inject;

@QuarkusMain
public class Ask implements QuarkusApplication {
    @Inject
    ChatModel model;

    @Override
    public int run(String... question) {
        System.out.println(model.chat(String.join(" ", question)));
        return 0;
    }
}
