package io.prism.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.prism.cli.testing.Cli;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code prism bench} on the fake engine. */
class BenchTest {
    @TempDir
    private Path folder;

    private Path suite;

    @BeforeEach
    void writeSuite() throws IOException {
        suite = Files.createDirectory(folder.resolve("suite"));
        Files.writeString(suite.resolve("short.jsonl"), "{\"turns\": [\"a\"]}\n{\"turns\": [\"b\"]}\n");
        Files.writeString(suite.resolve("talk.jsonl"), "{\"turns\": [\"a\", \"b\"]}\n");
    }

    private Cli bench(String... more) {
        List<String> arguments = new ArrayList<>(
                List.of("bench", "--model", folder.toString(), "--suite", suite.toString(), "--warmup", "0"));
        arguments.addAll(List.of(more));
        return Cli.run(Main.commandLine(), arguments.toArray(String[]::new));
    }

    private List<JsonNode> runs(Path json) throws IOException {
        JsonNode report = new ObjectMapper().readTree(json.toFile());
        return StreamSupport.stream(report.path("runs").spliterator(), false).toList();
    }

    @Test
    void writesOneRunForEachSetContenderAndTemperatureWithTheAgreedFields() throws IOException {
        Path json = folder.resolve("out/report.json");
        Cli run = bench(
                "--drafter", "ngram", "--tree", "auto;4,1,4", "--temperature", "0,0.7", "--json", json.toString());
        assertThat(run.exitCode()).as(run.err()).isZero();
        JsonNode report = new ObjectMapper().readTree(json.toFile());
        assertThat(report.fieldNames()).toIterable().containsExactly("model", "machine", "runs");
        assertThat(report.path("model").asText()).isEqualTo("fake-model");
        // 2 sets x 2 temperatures x (plain, stock, two trees)
        assertThat(runs(json))
                .hasSize(16)
                .allSatisfy(one -> assertThat(one.fieldNames())
                        .toIterable()
                        .containsExactly(
                                "set",
                                "drafter",
                                "tree",
                                "temperature",
                                "kernels",
                                "prompts",
                                "tokens",
                                "rounds",
                                "acceptanceLength",
                                "acceptanceByStep",
                                "tokensPerSecond",
                                "speedupOverStock",
                                "speedupOverPlain",
                                "equalToPlain",
                                "marginalAcceptanceByStep",
                                "repeated8Grams",
                                "timeShare"));
    }

    @Test
    void tellsWhereTimeWentAndHowMuchTheTextRepeatsItself() throws IOException {
        Path json = folder.resolve("report.json");
        Cli run = bench("--drafter", "ngram", "--tree", "4,1,4", "--json", json.toString());
        assertThat(run.out()).contains("draft/verify/other", "repeats", "marginal");
        for (JsonNode one : runs(json)) {
            if (one.path("drafter").asText().equals("stock")) {
                assertThat(one.path("timeShare").isNull()).isTrue();
                assertThat(one.path("repeated8Grams").isNull()).isTrue();
            } else {
                JsonNode share = one.path("timeShare");
                assertThat(share.path("draft").asDouble()
                                + share.path("verify").asDouble()
                                + share.path("other").asDouble())
                        .isEqualTo(1, within(2e-4)); // three rounded numbers
                // the alphabet comes almost five times in 128 letters: 121 runs of eight, 26 of them new
                assertThat(one.path("repeated8Grams").asDouble()).isEqualTo(95 / 121.0, within(1e-4));
            }
        }
    }

    @Test
    void writesAPageThatNeedsNothingElse() throws IOException {
        Files.move(suite.resolve("short.jsonl"), suite.resolve("<script>alert(1)<.jsonl"));
        Path html = folder.resolve("out/report.html");
        Cli run = bench(
                "--drafter", "ngram", "--tree", "auto;4,1,4", "--temperature", "0,0.7", "--html", html.toString());
        assertThat(run.exitCode()).as(run.err()).isZero();
        String page = Files.readString(html);
        assertThat(page)
                .startsWith("<!DOCTYPE html>")
                .contains(
                        "Temperature 0.0",
                        "Temperature 0.7",
                        "ngram 4,1,4",
                        "fake-model",
                        "<svg",
                        "Where the time goes")
                .contains("&lt;script&gt;alert(1)&lt;")
                .doesNotContain("<script", "http:", "https:", "src=", "href=", "NaN");
        // well-formed but for the document type and void elements, which XML does not know
        List<String> colours = Pattern.compile("background:([^\"]*)\"></span>ngram auto")
                .matcher(page)
                .results()
                .map(match -> match.group(1))
                .toList();
        assertThat(colours)
                .as("of one way to decode, in the legends of all charts")
                .hasSizeGreaterThan(2)
                .containsOnly(colours.getFirst());
        String xml = page.replace("<!DOCTYPE html>", "").replaceAll("<meta[^>]*>", "");
        assertThat(catchThrowable(() -> DocumentBuilderFactory.newInstance()
                        .newDocumentBuilder()
                        .parse(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)))))
                .isNull();
    }

    @Test
    void speculationIsEqualToPlainDecodingAndAcceptsMoreThanOneTokenAPass() throws IOException {
        Path json = folder.resolve("report.json");
        assertThat(bench("--drafter", "ngram", "--tree", "4,1,4", "--json", json.toString())
                        .exitCode())
                .isZero();
        for (JsonNode run : runs(json)) {
            boolean drafts = run.path("drafter").asText().equals("ngram");
            assertThat(run.path("equalToPlain").asInt())
                    .isEqualTo(run.path("prompts").asInt());
            assertThat(run.path("acceptanceLength").asDouble())
                    .isEqualTo(
                            run.path("tokens").asDouble() / run.path("rounds").asDouble(),
                            within(1e-4)); // rounded to four decimals
            if (drafts) {
                assertThat(run.path("acceptanceLength").asDouble()).isGreaterThan(1.5);
            }
        }
    }

    @Test
    void aConversationCountsAsOnePromptAndAllItsTurnsTokens() throws IOException {
        Path json = folder.resolve("report.json");
        bench("--max-tokens", "10", "--json", json.toString());
        assertThat(runs(json))
                .filteredOn(run -> run.path("set").asText().equals("talk"))
                .allSatisfy(run -> {
                    assertThat(run.path("prompts").asInt()).isEqualTo(1);
                    assertThat(run.path("tokens").asInt()).isEqualTo(2 * 9); // the first of ten comes with the prompt
                });
    }

    @Test
    void withoutStockItsSpeedupIsUnknown() throws IOException {
        Path json = folder.resolve("report.json");
        Cli run = bench("--stock", "none", "--json", json.toString());
        assertThat(run.out()).doesNotContain("fake stock");
        assertThat(runs(json))
                .isNotEmpty()
                .allSatisfy(
                        one -> assertThat(one.path("speedupOverStock").isNull()).isTrue());
    }

    @Test
    void tellsHowManyPromptsWereTooLong() throws IOException {
        Files.writeString(suite.resolve("long.jsonl"), "{\"turns\": [\"" + "x".repeat(1000) + "\"]}\n");
        assertThat(bench("--max-tokens", "8").out()).contains("1 prompts were too long");
    }

    @Test
    void timesPromptsAloneWhenAsked() throws IOException {
        Path json = folder.resolve("report.json");
        Cli run = bench("--max-tokens", "8", "--prefill", "200", "--json", json.toString());
        assertThat(run.out()).contains("prompt alone");
        JsonNode prefill = new ObjectMapper().readTree(json.toFile()).path("prefill");
        assertThat(prefill).hasSize(2).allSatisfy(one -> {
            assertThat(one.path("promptTokens").asInt()).isEqualTo(200);
            assertThat(one.path("tokensPerSecond").asDouble()).isPositive();
        });
    }

    @Test
    void measuresThroughputWithSeveralRequestsAtATimeWhenAsked() throws IOException {
        Path json = folder.resolve("report.json");
        Path plot = folder.resolve("plots/throughput.png");
        Cli run = bench(
                "--max-tokens",
                "8",
                "--sessions",
                "1,3",
                "--seconds",
                "0.1",
                "--json",
                json.toString(),
                "--plot",
                plot.toString());
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out()).contains("requests", "in a pass");
        assertThat(Files.readAllBytes(plot)).startsWith(0x89, 'P', 'N', 'G');
        JsonNode report = new ObjectMapper().readTree(json.toFile());
        assertThat(report.has("runs")).isFalse();
        assertThat(report.path("throughput")).hasSize(5).allSatisfy(rate -> {
            assertThat(rate.path("tokensPerSecond").asDouble()).isPositive();
            assertThat(rate.path("answers").asInt()).isPositive();
            assertThat(rate.path("equalToPlain").asInt())
                    .isEqualTo(rate.path("answers").asInt());
        });
        assertThat(report.path("throughput"))
                .extracting(rate ->
                        rate.path("drafter").asText() + rate.path("requests").asInt())
                .containsExactlyInAnyOrder("none1", "none3", "stock1", "ngram1", "ngram3");
    }

    @Test
    void aPromptLongerThanTheContextIsRefused() {
        Cli run = bench("--prefill", "512");
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.err()).contains("does not fit").contains("512");
    }

    @Test
    void aBadSuiteIsNamedBeforeTheModelIsLoaded() throws IOException {
        Files.writeString(suite.resolve("short.jsonl"), "nonsense\n");
        Cli run = bench();
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.err()).contains("short.jsonl, line 1");
    }

    @Test
    void anUnknownDrafterIsAnError() {
        Cli run = bench("--drafter", "nosuch");
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.err()).contains("nosuch");
    }
}
