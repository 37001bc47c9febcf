package io.prism.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.safetensors.prompt.PromptContext;
import io.prism.cli.bench.SuiteReader;
import io.prism.cli.model.Contender;
import io.prism.cli.model.DecoderFactory;
import io.prism.config.PrismConfig;
import io.prism.drafter.checkpoint.Checkpoint;
import io.prism.drafter.checkpoint.LayerKind;
import io.prism.drafter.format.SafeTensors;
import io.prism.drafter.format.StoredTensor;
import io.prism.jlama.PrismModels;
import io.prism.spi.HostedModel;
import io.prism.spi.ModelHost;
import io.prism.spi.ModelSynthesizer;
import io.prism.spi.PrismException;
import io.prism.verify.SamplingParameters;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.ServiceLoader;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * The table of mistakes a user can make, each with what its message must say: what was found, what was expected, what to
 * do. The whole messages are in {@code adapters/jlama/BAD-INPUT.md}, which is kept equal. What an agent says of a JVM or a
 * Jlama it can't work in is in {@link AgentTest}.
 */
class BadInputTest {

    private interface Mistake {
        void make(Path folder) throws Exception;
    }

    /**
     * @param name what is wrong, for people
     * @param mistake does it, in an empty folder
     * @param says parts of the message
     */
    private record Case(String name, Mistake mistake, Class<? extends Throwable> type, List<String> says) {
        @Override
        public String toString() {
            return name;
        }
    }

    static final List<Case> CASES = Stream.of(
                    flags(), kernelsAndDrafters(), draftModels(), modelFolders(), requests(), tools())
            .flatMap(List::stream)
            .toList();

    /** Surefire starts tests in the module's folder. */
    private static final Path PAGE = Path.of("..", "adapters", "jlama", "BAD-INPUT.md");

    /** What the page should hold, as far as cases ran. */
    private static final Path ROWS = Path.of("target", "bad-input.md");

    @BeforeAll
    static void beginRows() throws IOException {
        Files.createDirectories(ROWS.getParent());
        Files.deleteIfExists(ROWS);
    }

    @TempDir
    private Path temporary;

    @ParameterizedTest(name = "{0}")
    @FieldSource("CASES")
    void saysWhatWasFoundAndWhatToDo(Case bad) throws IOException {
        Path folder = Files.createDirectory(temporary.resolve("case"));
        assertThatThrownBy(() -> bad.mistake().make(folder))
                .isInstanceOf(bad.type())
                .satisfies(thrown -> {
                    for (String part : bad.says()) {
                        assertThat(thrown).hasMessageContaining(part);
                    }
                    String row = row(bad, thrown.getMessage(), folder);
                    Files.writeString(ROWS, row + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                    assertThat(Files.readAllLines(PAGE))
                            .as("%s, which %s has the rows for", PAGE, ROWS)
                            .contains(row);
                });
    }

    @Test
    void thePageHasNoMistakesButThese() throws IOException {
        List<String> rows = Files.readAllLines(PAGE).stream()
                .filter(line -> line.startsWith("| "))
                .skip(1)
                .toList();
        assertThat(rows).hasSameSizeAs(CASES).hasSizeGreaterThanOrEqualTo(25);
    }

    /** A row of the page; what depends on the place, and lists that grow, are put in general terms. */
    private static String row(Case bad, String message, Path folder) {
        String general = message.replace(folder.toString(), "DIR")
                .replaceAll("(one of|only) \\[[^]]*]", "$1 [...]")
                .replaceAll("Known flags: [a-z., ]+", "Known flags: ...")
                .replace("|", "\\|")
                .replaceAll("\\s+", " ");
        return "| " + bad.name() + " | " + general + " |";
    }

    private static List<Case> flags() {
        return List.of(
                bad("a flag that does not exist", flag("prism.draftr", "ngram"), "prism.draftr", "'prism.drafter'"),
                bad(
                        "a variable that is nearly a flag",
                        folder -> PrismConfig.load(new Properties(), Map.of("PRISM_TREES", "auto"), Optional.empty()),
                        "PRISM_TREES",
                        "'PRISM_TREE'"),
                bad(
                        "a flag that does not exist in a file",
                        folder -> readFile(folder, "prism.tre=auto\n"),
                        "prism.tre",
                        "prism.properties",
                        "'prism.tree'"),
                bad(
                        "a properties file that is damaged",
                        folder -> readFile(folder, "prism.tree=\\u00zz\n"),
                        "Can't read",
                        "expected a properties file"),
                bad("enabled, but not yes or no", flag("prism.enabled", "maybe"), "maybe", "auto, true or false"),
                bad("a tree of two numbers", flag("prism.tree", "3,4"), "3,4", "steps,topk,nodes"),
                bad("a tree of no steps", flag("prism.tree", "0,4,16"), "0,4,16", "positive whole numbers"),
                bad("top-p above 1", flag("prism.topp", "1.5"), "1.5", "at most 1"),
                bad("top-k of 0", flag("prism.topk", "0"), "'0'", "at least 1"),
                bad("a seed that is no number", flag("prism.seed", "tomorrow"), "tomorrow", "whole number"),
                bad("a negative number of threads", flag("prism.threads", "-1"), "-1", "from 0 to"),
                bad("repack, but not true or false", flag("prism.repack", "yes"), "yes", "true or false"),
                bad("statistics to nowhere", flag("prism.stats", "loud"), "loud", "off, log or micrometer"));
    }

    private static List<Case> kernelsAndDrafters() {
        return List.of(
                bad(
                        "kernels that do not exist",
                        folder -> load(DemoModel.folder(), "prism.kernels", "abacus"),
                        "Unknown kernels 'abacus'",
                        "vector",
                        "prism.kernels"),
                bad(
                        "a drafter folder that does not exist",
                        folder -> load(
                                DemoModel.folder(),
                                "prism.drafter",
                                folder.resolve("none-here").toString()),
                        "does not exist",
                        "expected a folder",
                        "ngram"),
                bad(
                        "a drafter folder without a drafter",
                        folder -> load(DemoModel.folder(), "prism.drafter", folder.toString()),
                        "is a folder without a drafter",
                        "expected a folder with a drafter of a known kind"),
                bad(
                        "a drafter that is a file",
                        folder -> load(
                                DemoModel.folder(),
                                "prism.drafter",
                                Files.writeString(folder.resolve("drafter.bin"), "x")
                                        .toString()),
                        "is a file",
                        "expected a folder"),
                bad(
                        "a flag that does not exist, when a model is loaded",
                        folder -> load(DemoModel.folder(), "prism.kernel", "vector"),
                        "prism.kernel",
                        "'prism.kernels'"));
    }

    private static List<Case> draftModels() {
        return List.of(
                bad(
                        "a draft model that lacks a tensor",
                        drafter(folder -> rewrite(folder, tensors -> tensors.remove("modules.0.mlp.up_proj.weight"))),
                        "modules.0.mlp.up_proj.weight",
                        "missing"),
                bad(
                        "a draft model with a tensor too many",
                        drafter(folder -> rewrite(
                                folder,
                                tensors ->
                                        tensors.put("modules.7.stray.weight", StoredTensor.ofFloats(new float[4], 4)))),
                        "modules.7.stray.weight"),
                bad(
                        "a draft model with a tensor of another shape",
                        drafter(folder -> rewrite(
                                folder,
                                tensors ->
                                        tensors.put("modules.0.fusion.bias", StoredTensor.ofFloats(new float[5], 5)))),
                        "modules.0.fusion.bias",
                        "[5]"),
                bad(
                        "a draft model with weights that are not numbers",
                        drafter(folder -> rewrite(
                                folder,
                                tensors -> tensors.computeIfPresent("modules.0.fusion.bias", (name, bias) -> {
                                    float[] values = bias.floats();
                                    values[3] = Float.NaN;
                                    return StoredTensor.ofFloats(values, values.length);
                                }))),
                        "modules.0.fusion.bias",
                        "NaN"),
                bad(
                        "a draft model that was cut off",
                        drafter(folder -> truncate(folder.resolve("model.safetensors"), 100_000)),
                        "model.safetensors"),
                bad(
                        "a draft model without config.json",
                        drafter(folder -> Files.delete(folder.resolve("config.json"))),
                        "config.json is missing",
                        "a draft model is a folder with"),
                bad(
                        "a draft model with an entry of config.json that does not exist",
                        drafter(folder ->
                                replace(folder.resolve("config.json"), "\"step_modules\"", "\"step_module\"")),
                        "step_module"),
                bad(
                        "a draft model of another target",
                        drafter(folder -> replace(
                                folder.resolve("config.json"), "\"fingerprint\" : \"", "\"fingerprint\" : \"ff")),
                        "tokenizer",
                        "target"));
    }

    private static List<Case> modelFolders() {
        return List.of(
                bad(
                        "a model folder that does not exist",
                        folder -> host(folder.resolve("no-model")),
                        "does not exist",
                        "expected a model folder"),
                bad(
                        "a model that is a file",
                        folder -> host(Files.writeString(folder.resolve("model.gguf"), "GGUF")),
                        "is a file",
                        "expected a model folder"),
                bad(
                        "a model without config.json",
                        damaged(model -> Files.delete(model.resolve("config.json"))),
                        "has no config.json"),
                bad(
                        "a config.json that was cut off",
                        damaged(model -> truncate(model.resolve("config.json"), 40)),
                        "config.json can't be read as JSON",
                        "download it again"),
                bad(
                        "a kind of model that Jlama does not run",
                        damaged(model -> replace(model.resolve("config.json"), "\"llama\"", "\"mamba\"")),
                        "model_type 'mamba'",
                        "expected one that Jlama runs"),
                bad(
                        "a model without tokenizer.json",
                        damaged(model -> Files.delete(model.resolve("tokenizer.json"))),
                        "has no tokenizer.json"),
                bad(
                        "a model without weights",
                        damaged(model -> Files.delete(model.resolve("model.safetensors"))),
                        "has no weights",
                        "expected model.safetensors"),
                bad(
                        "weights that were cut off",
                        damaged(model -> truncate(model.resolve("model.safetensors"), 1 << 20)),
                        "model.safetensors has 1048576 bytes, but its header describes"),
                bad(
                        "weights cut off in their header",
                        damaged(model -> truncate(model.resolve("model.safetensors"), 5)),
                        "is shorter than a header"),
                bad(
                        "weights that are something else",
                        damaged(model -> Files.writeString(
                                model.resolve("model.safetensors"), "<html><body>404 Not Found</body></html>")),
                        "model.safetensors",
                        "says that its header has"),
                bad(
                        "an index that names a missing file",
                        damaged(model -> Files.writeString(
                                model.resolve("model.safetensors.index.json"),
                                "{\"weight_map\": {\"lm_head.weight\": \"model-00001-of-00002.safetensors\"}}")),
                        "model-00001-of-00002.safetensors is missing"),
                bad(
                        "weights that are not numbers",
                        damaged(BadInputTest::writeNaN),
                        "The model's weights are damaged",
                        "NaN"),
                bad(
                        "weights of another shape than the configuration says",
                        damaged(model ->
                                replace(model.resolve("config.json"), "\"hidden_size\": 256", "\"hidden_size\": 512")),
                        "the configuration says",
                        "512",
                        "config.json and weights don't belong together"),
                bad(
                        "a model folder that Jlama itself refuses",
                        folder -> PrismModels.load(folder.resolve("no-model").toFile()),
                        IllegalArgumentException.class,
                        "Model location does not exist"));
    }

    private static List<Case> requests() {
        return List.of(
                bad(
                        "a prompt longer than the context",
                        folder -> generate("word ".repeat(2000), 0f, 100_000),
                        IllegalArgumentException.class,
                        "Prompt exceeds max tokens"),
                bad(
                        "a prompt longer than the context, on the command line",
                        folder -> decode("word ".repeat(2000)),
                        "does not fit a context of",
                        "Shorten it"),
                bad(
                        "a prompt longer than the limit of tokens",
                        folder -> generate("Once upon a time there was a snake", 0f, 4),
                        IllegalArgumentException.class,
                        "Prompt exceeds max tokens"),
                bad(
                        "a negative temperature",
                        folder -> generate("Hello", -1f, 40),
                        "Temperature -1.0",
                        "expected a number of at least 0"),
                bad(
                        "a temperature that is not a number",
                        folder -> generate("Hello", Float.NaN, 40),
                        "Temperature NaN"));
    }

    private static List<Case> tools() {
        return List.of(
                bad(
                        "a suite that does not exist",
                        folder -> new SuiteReader().read(folder.resolve("suite"), 1),
                        "does not exist",
                        "expected a folder with *.jsonl files"),
                bad("a suite without questions", folder -> new SuiteReader().read(folder, 1), "has no *.jsonl file"),
                bad("a question that is no JSON", suite("What is 2 + 2?\n"), "line 1", "is no JSON"),
                bad("a question without turns", suite("{\"question\": \"What is 2 + 2?\"}\n"), "line 1", "turns"),
                bad(
                        "a synthetic shape that does not exist",
                        folder -> synthesizer().synthesize("gpt-5", "bf16", folder.resolve("out")),
                        "Unknown shape 'gpt-5'",
                        "expected one of"),
                bad(
                        "a synthetic type that does not exist",
                        folder -> synthesizer().synthesize("tiny", "q3", folder.resolve("out")),
                        "Unknown type 'q3'",
                        "expected one of"));
    }

    private static Case bad(String name, Mistake mistake, String... says) {
        return bad(name, mistake, PrismException.class, says);
    }

    private static Case bad(String name, Mistake mistake, Class<? extends Throwable> type, String... says) {
        return new Case(name, mistake, type, List.of(says));
    }

    private static Mistake flag(String name, String value) {
        return folder -> {
            Properties properties = new Properties();
            properties.setProperty(name, value);
            PrismConfig.load(properties, Map.of(), Optional.empty());
        };
    }

    private static void readFile(Path folder, String content) throws IOException {
        Path file = Files.writeString(folder.resolve("prism.properties"), content);
        PrismConfig.load(new Properties(), Map.of(), Optional.of(file));
    }

    /** Loads by code with PRISM required and one more flag. */
    private static void load(Path model, String flag, String value) {
        String before = System.setProperty("prism.enabled", "true");
        System.setProperty(flag, value);
        try {
            PrismModels.load(model.toFile()).close();
        } finally {
            System.clearProperty(flag);
            if (before == null) {
                System.clearProperty("prism.enabled");
            } else {
                System.setProperty("prism.enabled", before);
            }
        }
    }

    private static HostedModel hosted(Path model) {
        ModelHost host = ServiceLoader.load(ModelHost.class).findFirst().orElseThrow();
        return host.load(model.toString(), new ModelHost.LoadOptions("auto", 0, true, "auto"));
    }

    private static void host(Path model) {
        try (HostedModel loaded = hosted(model)) {
            throw new AssertionError("was loaded: " + loaded.name());
        }
    }

    private interface Damage {
        void to(Path model) throws IOException;
    }

    /** Loads the bundled model with a draft model of random weights after damaging that. */
    private static Mistake drafter(Damage damage) {
        return folder -> {
            try (HostedModel fits = hosted(DemoModel.folder())) {
                RandomDraftModel.write(folder.resolve("drafter"), fits.target(), LayerKind.FUSION, 1, false, 4096);
            }
            damage.to(folder.resolve("drafter"));
            load(DemoModel.folder(), "prism.drafter", folder.resolve("drafter").toString());
        };
    }

    private static void rewrite(Path drafter, Consumer<Map<String, StoredTensor>> change) throws IOException {
        Path file = drafter.resolve("model.safetensors");
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        try (Checkpoint checkpoint = Checkpoint.open(drafter)) {
            for (Map.Entry<String, StoredTensor> tensor : checkpoint.tensors().entrySet()) {
                StoredTensor stored = tensor.getValue();
                MemorySegment copy = MemorySegment.ofArray(stored.data().toArray(ValueLayout.JAVA_BYTE));
                tensors.put(tensor.getKey(), new StoredTensor(stored.type(), stored.shape(), copy));
            }
        }
        change.accept(tensors);
        SafeTensors.write(file, tensors, Map.of());
    }

    /** Loads a copy of the bundled model after damaging it. */
    private static Mistake damaged(Damage damage) {
        return folder -> {
            Path model = DemoModel.copyTo(folder.resolve("model"));
            damage.to(model);
            host(model);
        };
    }

    private static void truncate(Path file, long length) throws IOException {
        try (RandomAccessFile opened = new RandomAccessFile(file.toFile(), "rw")) {
            opened.setLength(length);
        }
    }

    private static void replace(Path file, String found, String by) throws IOException {
        String before = Files.readString(file);
        String after = before.replace(found, by);
        if (after.equals(before)) {
            throw new AssertionError(file + " does not have " + found);
        }
        Files.writeString(file, after);
    }

    /** Overwrites the weights of every tensor, header untouched: BF16's 0x7FC0 is not a number. */
    private static void writeNaN(Path model) throws IOException {
        Path file = model.resolve("model.safetensors");
        byte[] content = Files.readAllBytes(file);
        int header = 8
                + (int) ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).getLong();
        byte[] notNumbers = new byte[content.length - header];
        for (int i = 0; i + 1 < notNumbers.length; i += 2) {
            notNumbers[i] = (byte) 0xC0;
            notNumbers[i + 1] = 0x7F;
        }
        System.arraycopy(notNumbers, 0, content, header, notNumbers.length);
        Files.write(file, content);
    }

    private static void generate(String prompt, float temperature, int ntokens) {
        try (AbstractModel model = PrismModels.load(DemoModel.folder().toFile())) {
            model.generate(UUID.randomUUID(), PromptContext.of(prompt), temperature, ntokens, (piece, millis) -> {});
        }
    }

    private static void decode(String prompt) {
        try (HostedModel model = hosted(DemoModel.folder());
                Contender plain = new DecoderFactory(model).plain(PrismConfig.DEFAULTS)) {
            plain.run(model.prompt(List.of(prompt)), 8, SamplingParameters.GREEDY, 0, text -> {});
        }
    }

    private static Mistake suite(String content) {
        return folder -> {
            Files.write(folder.resolve("set.jsonl"), content.getBytes(StandardCharsets.UTF_8));
            new SuiteReader().read(folder, Integer.MAX_VALUE);
        };
    }

    private static ModelSynthesizer synthesizer() {
        return ServiceLoader.load(ModelSynthesizer.class).findFirst().orElseThrow();
    }
}
