package io.prism.integration.agreement;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.tjake.jlama.model.AbstractModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A question and its answer, which models read word for word. */
record Exchange(String question, String answer) {

    /** The first turns and reference answers of a benchmark file. */
    static List<Exchange> read(Path file, int limit) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        List<Exchange> exchanges = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            if (exchanges.size() < limit) {
                JsonNode question = mapper.readTree(line);
                exchanges.add(new Exchange(
                        question.path("turns").path(0).asText(),
                        question.path("reference").path(0).asText()));
            }
        }
        return exchanges;
    }

    /** Tokens of the exchange as this model would read it: with its chat template, if it has one. */
    int[] tokens(AbstractModel model) {
        String prompt = model.promptSupport()
                .map(support ->
                        support.builder().addUserMessage(question).build().getPrompt())
                .orElse(question + "\n");
        long[] encoded = model.getTokenizer().encode(prompt + answer);
        int begin = model.getConfig().bosToken;
        int from = encoded.length > 0 && encoded[0] == begin ? 1 : 0;
        int[] tokens = new int[encoded.length - from + 1];
        tokens[0] = begin;
        for (int i = from; i < encoded.length; i++) {
            tokens[i - from + 1] = (int) encoded[i];
        }
        return tokens;
    }
}
