package io.prism.training.data;

import java.util.List;
import java.util.Optional;

/**
 * A line of training text.
 *
 * @param turns user, assistant, user, .. in turn, the last a user's
 * @param answer the answer to the last turn, if the file has one
 */
public record Conversation(List<String> turns, Optional<String> answer) {
    public Conversation {
        turns = List.copyOf(turns);
    }
}
