package io.prism.cli.bench;

import java.util.List;

/**
 * The questions of one file.
 *
 * @param name the file's name without its ending
 */
public record QuestionSet(String name, List<Question> questions) {
    public QuestionSet {
        questions = List.copyOf(questions);
    }
}
