package io.prism.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.prism.cli.CliCommand;
import io.prism.config.Flag;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.ServiceLoader;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.Command;

/** What the documentation says of flags and commands is what there is. */
class DocumentationTest {
    /** Surefire starts tests in the module's folder. */
    private static final Path HOME = Path.of("..");

    private static final Pattern FLAG = Pattern.compile("`(prism\\.[a-z]+)`");

    @ParameterizedTest
    @ValueSource(strings = {"README.md", "adapters/jlama/README.md"})
    void theTableOfFlagsHasEveryFlagWithItsDefaultAndNoOther(String page) throws IOException {
        List<String> rows = Files.readAllLines(HOME.resolve(page)).stream()
                .filter(line -> line.startsWith("| `prism."))
                .toList();
        assertThat(rows.stream()
                        .map(row -> row.substring(0, row.indexOf('|', 1)))
                        .flatMap(names -> FLAG.matcher(names).results().map(found -> found.group(1))))
                .containsExactlyInAnyOrderElementsOf(
                        Arrays.stream(Flag.values()).map(Flag::property).toList());
        for (Flag flag : Flag.values()) {
            assertThat(rows)
                    .filteredOn(row -> row.contains("`" + flag.property() + "`"))
                    .singleElement()
                    .asString()
                    .containsIgnoringWhitespaces(flag == Flag.DRAFTER ? "else `ngram`" : "| " + quoted(flag) + " |");
        }
    }

    private static String quoted(Flag flag) {
        String value = flag.defaultValue();
        return value.equals("off") ? value : "`" + value + "`";
    }

    @Test
    void theReadmeNamesEveryCommand() throws IOException {
        List<String> named = Pattern.compile("(?m)^\\./prism ([a-z]+)")
                .matcher(Files.readString(HOME.resolve("README.md")))
                .results()
                .map((MatchResult found) -> found.group(1))
                .toList();
        assertThat(ServiceLoader.load(CliCommand.class).stream()
                        .map(command ->
                                command.type().getAnnotation(Command.class).name()))
                .isNotEmpty()
                .isSubsetOf(named);
    }
}
