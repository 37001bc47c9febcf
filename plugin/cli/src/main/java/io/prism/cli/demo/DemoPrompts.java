package io.prism.cli.demo;

import io.prism.cli.bench.Question;
import io.prism.cli.bench.QuestionSet;
import java.util.List;

/** Questions of the kinds that the bundled model was trained on. */
public final class DemoPrompts {
    private DemoPrompts() {}

    public static QuestionSet all() {
        return new QuestionSet(
                "demo",
                List.of(
                        question(
                                "story",
                                "Write a short story about a snake named Cobalt who guards a library at the edge of the"
                                        + " desert and is afraid of the dark."),
                        question(
                                "maths",
                                "A baker fills 4 trays with 12 rolls each. She sells 29 rolls in the morning and 2 rolls"
                                        + " to each of 5 children in the afternoon. How many rolls are left?"),
                        question(
                                "code",
                                "Write a Python function that takes a list of numbers and returns the sum of the even"
                                        + " ones."),
                        question(
                                "scene",
                                "Write a scene for an audiobook called `The Last Lighthouse`, in which two sisters wait"
                                        + " for a ship that is three days late."),
                        question("steps", "What is (37 + 15) * 4 - 18? Work it out step by step."),
                        question(
                                "role play",
                                "You are the captain of a small airship. A storm is coming and your crew wants to turn"
                                        + " back. What do you tell them?")));
    }

    private static Question question(String name, String text) {
        return new Question(name, List.of(text));
    }
}
