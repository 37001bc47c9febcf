package io.prism.cli.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.prism.spi.PrismException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Reads a suite: every {@code *.jsonl} of a folder, one JSON object a line with {@code turns} (strings, at least one) and
 * optionally {@code question_id}; other fields are left alone.
 */
public final class SuiteReader {
    private static final String ENDING = ".jsonl";

    private final ObjectMapper json = new ObjectMapper();

    /**
     * Reads the sets in the order of their names.
     *
     * @param limit at most this many questions of each file
     * @throws PrismException if the folder holds no suite, or a line is not as expected
     */
    public List<QuestionSet> read(Path folder, int limit) {
        List<Path> files = files(folder);
        if (files.isEmpty()) {
            throw new PrismException("Suite " + folder + " has no *" + ENDING
                    + " file: expected one file a set, with one JSON object {\"turns\": [\"...\"]} a line.");
        }
        return files.stream().map(file -> readSet(file, limit)).toList();
    }

    private static List<Path> files(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new PrismException("Suite " + folder + (Files.exists(folder) ? " is a file" : " does not exist")
                    + ": expected a folder with *" + ENDING + " files.");
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(file -> file.getFileName().toString().endsWith(ENDING))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new PrismException("Can't list the suite " + folder + " (" + e + "). Check its permissions.", e);
        }
    }

    private QuestionSet readSet(Path file, int limit) {
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (IOException e) {
            throw new PrismException("Can't read " + file + " (" + e + "): expected text in UTF-8.", e);
        }
        List<Question> questions = new ArrayList<>();
        for (int i = 0; i < lines.size() && questions.size() < limit; i++) {
            if (!lines.get(i).isBlank()) {
                questions.add(readQuestion(lines.get(i), file, i + 1));
            }
        }
        if (questions.isEmpty()) {
            throw new PrismException(file + " is empty: expected one JSON object {\"turns\": [\"...\"]} a line.");
        }
        String name = file.getFileName().toString();
        return new QuestionSet(name.substring(0, name.length() - ENDING.length()), questions);
    }

    private Question readQuestion(String line, Path file, int number) {
        JsonNode node;
        try {
            node = json.readTree(line);
        } catch (JsonProcessingException e) {
            throw malformed(file, number, "is no JSON: " + e.getOriginalMessage());
        }
        JsonNode turns = node.path("turns");
        if (!turns.isArray() || turns.isEmpty()) {
            throw malformed(file, number, turns.isMissingNode() ? "has no \"turns\"" : "has \"turns\": " + turns);
        }
        List<String> texts = new ArrayList<>();
        for (JsonNode turn : turns) {
            if (!turn.isTextual() || turn.textValue().isBlank()) {
                throw malformed(file, number, "has the turn " + turn);
            }
            texts.add(turn.textValue());
        }
        return new Question(node.path("question_id").asText(Integer.toString(number)), texts);
    }

    private static PrismException malformed(Path file, int line, String found) {
        return new PrismException(file + ", line " + line + " " + found
                + ". Expected an object with \"turns\": a list of texts, none empty. Correct the line or take it out.");
    }
}
