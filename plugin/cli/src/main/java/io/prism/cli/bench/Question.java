package io.prism.cli.bench;

import java.util.List;

/**
 * One conversation of a suite, counted as one prompt in reports.
 *
 * @param id as in the file
 * @param turns what the user says, in turn; at least one
 */
public record Question(String id, List<String> turns) {
    public Question {
        turns = List.copyOf(turns);
    }
}
