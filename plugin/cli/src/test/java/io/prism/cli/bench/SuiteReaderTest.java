package io.prism.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.prism.spi.PrismException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SuiteReaderTest {
    @TempDir
    private Path suite;

    private void write(String name, String... lines) throws IOException {
        Files.write(suite.resolve(name), List.of(lines));
    }

    private List<QuestionSet> read() {
        return new SuiteReader().read(suite, Integer.MAX_VALUE);
    }

    @Test
    void readsEveryFileInTheOrderOfNames() throws IOException {
        write(
                "b.jsonl",
                "{\"question_id\": 7, \"category\": \"x\", \"turns\": [\"one\", \"two\"], \"reference\": [1]}");
        write("a.jsonl", "{\"question_id\": \"q\", \"turns\": [\"three\"]}", "", "{\"turns\": [\"four\"]}");
        write("notes.txt", "not a set");
        assertThat(read())
                .containsExactly(
                        new QuestionSet(
                                "a", List.of(new Question("q", List.of("three")), new Question("3", List.of("four")))),
                        new QuestionSet("b", List.of(new Question("7", List.of("one", "two")))));
    }

    @Test
    void takesAtMostTheLimitOfEachFile() throws IOException {
        write("a.jsonl", "{\"turns\": [\"1\"]}", "{\"turns\": [\"2\"]}", "not read any more");
        assertThat(new SuiteReader().read(suite, 2).getFirst().questions()).hasSize(2);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "not json | is no JSON",
                "{\"turns\": [\"cut | is no JSON",
                "{\"question\": \"x\"} | has no \"turns\"",
                "{\"turns\": []} | has \"turns\": []",
                "{\"turns\": \"text\"} | has \"turns\": \"text\"",
                "{\"turns\": [\"ok\", \" \"]} | has the turn",
                "{\"turns\": [1]} | has the turn 1",
                "[] | has no \"turns\"",
            })
    void aBadLineIsNamedByFileAndNumber(String line, String problem) throws IOException {
        write("set.jsonl", "{\"turns\": [\"fine\"]}", line);
        assertThatThrownBy(this::read)
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("set.jsonl, line 2 ")
                .hasMessageContaining(problem)
                .hasMessageContaining("Expected");
    }

    @Test
    void anEmptyFileIsAnError() throws IOException {
        write("set.jsonl", "", "");
        assertThatThrownBy(this::read).isInstanceOf(PrismException.class).hasMessageContaining("set.jsonl is empty");
    }

    @Test
    void aFolderWithoutSetsIsAnError() {
        assertThatThrownBy(this::read).isInstanceOf(PrismException.class).hasMessageContaining("has no *.jsonl");
    }

    @Test
    void aMissingFolderIsAnError() {
        assertThatThrownBy(() -> new SuiteReader().read(suite.resolve("nowhere"), 1))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("nowhere does not exist");
    }
}
