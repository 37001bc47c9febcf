package io.prism.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.prism.cli.testing.Cli;
import io.prism.config.Flag;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MainTest {
    @TempDir
    private Path folder;

    private static Cli run(String... arguments) {
        return Cli.run(Main.commandLine(), arguments);
    }

    @Test
    void helpNamesEveryCommandAndTheExitCodes() {
        Cli run = run("--help");
        assertThat(run.exitCode()).isZero();
        assertThat(run.out())
                .contains("demo", "generate", "bench", "synthesize", "expand", "flags", "train", "Exit codes");
    }

    @Test
    void versionNamesTheProgramAndTheJvm() {
        Cli run = run("--version");
        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).startsWith("prism ").contains("Java " + Runtime.version());
    }

    @ParameterizedTest
    @CsvSource({"generat, generate", "benhc, bench", "dmo, demo"})
    void aMisspeltCommandIsAnsweredWithTheNearestOne(String misspelt, String meant) {
        Cli run = run(misspelt);
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err()).contains("Did you mean").contains(meant);
    }

    @Test
    void aMisspeltOptionIsAnsweredWithTheNearestOne() {
        Cli run = run("generate", "--modle", "x", "--model", folder.toString(), "hello");
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err()).contains("--modle").contains("--model");
    }

    @Test
    void withoutACommandTheUsageIsPrinted() {
        Cli run = run();
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err()).contains("Which command?").contains("prism demo");
    }

    @Test
    void flagsListsEveryFlagWithItsDefault() {
        Cli run = run("flags");
        assertThat(run.exitCode()).isZero();
        for (Flag flag : Flag.values()) {
            assertThat(run.out()).contains(flag.property(), flag.environmentVariable(), flag.defaultValue());
        }
    }

    @Test
    void aFailureTheUserCanMendIsOneLine() {
        Cli run = run("generate", "--model", folder.resolve("nowhere").toString(), "hello");
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err().strip().lines())
                .singleElement()
                .asString()
                .startsWith("prism: ")
                .contains("does not exist");
    }

    @Test
    void verboseAddsTheStackTrace() {
        Cli run = run(
                "generate", "--verbose", "--model", folder.resolve("nowhere").toString(), "hello");
        assertThat(run.err()).contains("\tat io.prism.cli");
    }

    @Test
    void generatePrintsTheAnswerToStdoutAndTheSummaryToStderr() {
        Cli run = run("generate", "--model", folder.toString(), "--max-tokens", "28", "hello");
        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).isEqualTo("abcdefghijklmnopqrstuvwxyzab" + System.lineSeparator());
        assertThat(run.err()).contains("7 prompt tokens", "28 tokens", "acceptance length", "ended at --max-tokens");
    }

    @ParameterizedTest
    @CsvSource({
        "--temperature, -1, Temperature",
        "--top-p, 1.5, Top-p",
        "--max-tokens, -3, new tokens",
        "--tree, 1;2, prism.tree",
        "--kernels, GPU, prism.kernels",
        "--drafter, nosuch, prism.drafter"
    })
    void aValueOutOfRangeNamesItselfAndWhatIsExpected(String option, String value, String named) {
        Cli run = run("generate", "--model", folder.toString(), option, value, "hello");
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.err().strip().lines())
                .singleElement()
                .asString()
                .contains(named)
                .contains("expected");
    }

    @Test
    void aShapeThatNobodySynthesizesIsAnError() {
        Cli run = run("synthesize", "--shape", "nosuch", "--out", folder.toString());
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.err()).contains("nosuch").contains("expected one of the shapes");
    }

    @Test
    void demoComparesStockPlainAndSpeculativeDecoding() {
        Cli run = run("demo", "--model", folder.toString(), "--max-tokens", "64", "--warmup", "0");
        assertThat(run.exitCode()).isZero();
        assertThat(run.out())
                .contains(
                        "stock Jlama",
                        "plain, PRISM's forward pass",
                        "PRISM, ngram, tree auto",
                        "PRISM, ngram, tree 6,4,16",
                        "6 of 6",
                        "Lossless:")
                .doesNotContain("NOT lossless");
    }

    @Test
    void demoWithoutTheBundledModelSaysHowToFindIt() {
        Cli run = run("demo");
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.err()).contains("bundled model", "--model");
    }

    @Test
    void configurationBesideTheDrafterCountsLessThanTheCommandLine() throws Exception {
        Files.createDirectory(folder.resolve("prism"));
        Files.writeString(folder.resolve("prism/prism.properties"), "prism.tree=nonsense\nprism.drafter=ngram\n");
        assertThat(run("generate", "--model", folder.toString(), "hello").err()).contains("nonsense");
        assertThat(run("generate", "--model", folder.toString(), "--tree", "auto", "hello")
                        .exitCode())
                .isZero();
    }
}
