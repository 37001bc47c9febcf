package io.prism.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.prism.config.PrismConfig.Mode;
import io.prism.config.PrismConfig.Stats;
import io.prism.spi.Activations;
import io.prism.spi.PrismException;
import io.prism.verify.SamplingParameters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PrismConfigTest {
    @TempDir
    Path folder;

    private static Properties properties(String... namesAndValues) {
        Properties properties = new Properties();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            properties.setProperty(namesAndValues[i], namesAndValues[i + 1]);
        }
        return properties;
    }

    private static PrismConfig load(String... namesAndValues) {
        return PrismConfig.load(properties(namesAndValues), Map.of(), Optional.empty());
    }

    private Optional<Path> file(String text) throws IOException {
        return Optional.of(Files.writeString(folder.resolve(PrismConfig.FILE_NAME), text));
    }

    @Test
    void withoutFlagsAllDefaultsHold() {
        assertThat(load())
                .isEqualTo(new PrismConfig(
                        Mode.AUTO,
                        Optional.empty(),
                        "auto",
                        0,
                        true,
                        Activations.AUTO,
                        TreeSpec.AUTO,
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        OptionalLong.empty(),
                        Stats.LOG));
    }

    @Test
    void everyFlagIsReadFromSystemProperties() {
        PrismConfig config = load(
                "prism.enabled", "true",
                "prism.drafter", "/models/drafter",
                "prism.kernels", "scalar",
                "prism.threads", "6",
                "prism.repack", "false",
                "prism.activations", "f32",
                "prism.tree", "6, 4, 16",
                "prism.kvmemory", "512",
                "prism.topp", "0.9",
                "prism.topk", "40",
                "prism.seed", "-7",
                "prism.stats", "micrometer");
        assertThat(config)
                .isEqualTo(new PrismConfig(
                        Mode.TRUE,
                        Optional.of("/models/drafter"),
                        "scalar",
                        6,
                        false,
                        Activations.F32,
                        TreeSpec.of(6, 4, 16),
                        Optional.of(512),
                        Optional.of(0.9f),
                        Optional.of(40),
                        OptionalLong.of(-7),
                        Stats.MICROMETER));
        assertThat(config.tree()).hasToString("6,4,16");
        assertThat(config.kvBytes()).isEqualTo(512L << 20);
        assertThat(config.sampling(0.5f)).isEqualTo(new SamplingParameters(0.5f, 0.9f, 40));
        assertThat(load().sampling(0.5f)).isEqualTo(new SamplingParameters(0.5f, 1, 0));
    }

    @Test
    void everyFlagHasADefaultThatTheReaderAccepts() {
        for (Flag flag : Flag.values()) {
            assertThat(flag.property()).startsWith("prism.");
            assertThat(flag.environmentVariable())
                    .isEqualTo("PRISM_" + flag.property().substring(6).toUpperCase(Locale.ROOT));
            assertThat(flag.meaning()).isNotBlank();
            if (flag != Flag.DRAFTER) {
                assertThat(load(flag.property(), flag.defaultValue())).isEqualTo(load());
            }
        }
    }

    @Test
    void systemPropertiesComeBeforeEnvironmentBeforeFileBeforeDefault() throws IOException {
        Optional<Path> file = file("prism.threads=3\nprism.seed=3\nprism.topk=3\n");
        PrismConfig config = PrismConfig.load(
                properties("prism.threads", "1"), Map.of("PRISM_THREADS", "2", "PRISM_SEED", "2"), file);
        assertThat(config.threads()).isEqualTo(1);
        assertThat(config.seed()).hasValue(2);
        assertThat(config.topK()).hasValue(3);
        assertThat(config.tree()).isEqualTo(TreeSpec.AUTO);
    }

    @Test
    void aMissingFileIsNoError() {
        assertThat(PrismConfig.load(new Properties(), Map.of(), Optional.of(folder.resolve("none.properties"))))
                .isEqualTo(PrismConfig.DEFAULTS);
    }

    @Test
    void aFileThatCanNotBeReadIsAnError() throws IOException {
        Files.write(folder.resolve(PrismConfig.FILE_NAME), new byte[] {'a', '=', (byte) 0xC3, (byte) 0x28});
        assertThatThrownBy(() -> PrismConfig.load(
                        new Properties(), Map.of(), Optional.of(folder.resolve(PrismConfig.FILE_NAME))))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("Can't read")
                .hasMessageContaining("UTF-8");
    }

    @ParameterizedTest
    @CsvSource({
        "prism.tre, prism.tree",
        "prism.theads, prism.threads",
        "prism.top_p, prism.topp",
        "prism.sead, prism.seed"
    })
    void anUnknownSystemPropertyNamesTheNearestFlag(String unknown, String nearest) {
        assertThatThrownBy(() -> load(unknown, "1"))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("Unknown flag '" + unknown + "'")
                .hasMessageContaining("-D" + unknown)
                .hasMessageContaining("Did you mean '" + nearest + "'?");
    }

    @Test
    void anUnknownLineOfTheFileNamesTheNearestFlagAndTheFile() {
        assertThatThrownBy(() -> PrismConfig.load(new Properties(), Map.of(), file("prism.stat=log\n")))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("'prism.stat'")
                .hasMessageContaining(PrismConfig.FILE_NAME)
                .hasMessageContaining("'prism.stats'");
    }

    @Test
    void aMisspeltVariableIsAnErrorAndAnotherProgramsIsNot() {
        assertThatThrownBy(() -> PrismConfig.load(new Properties(), Map.of("PRISM_TREES", "auto"), Optional.empty()))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("'PRISM_TREES'")
                .hasMessageContaining("'PRISM_TREE'");
        Map<String, String> others =
                Map.of("PRISM_SHARED", "x", "PRISM_HOME", "y", "PRISM_API_TOKEN", "z", "PRISM_TREE", "");
        assertThat(PrismConfig.load(new Properties(), others, Optional.empty())).isEqualTo(PrismConfig.DEFAULTS);
    }

    @Test
    void switchesOfJavaFxAreNotOurs() {
        assertThat(load("prism.order", "sw", "prism.verbose", "true")).isEqualTo(PrismConfig.DEFAULTS);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "prism.enabled | yes | auto, true or false",
                "prism.threads | -1 | a whole number from 0 to 1024",
                "prism.threads | many | a whole number",
                "prism.threads | 99999999999 | a whole number",
                "prism.repack | 1 | true or false",
                "prism.activations | i8 | auto, f32 or rounded",
                "prism.tree | 6,4 | steps,topk,nodes",
                "prism.tree | 6,4,0 | three positive whole numbers",
                "prism.tree | wide | auto, or steps,topk,nodes",
                "prism.topp | 0 | above 0 and at most 1",
                "prism.topp | 1.5 | above 0 and at most 1",
                "prism.topp | NaN | above 0 and at most 1",
                "prism.topk | 0 | a whole number of at least 1",
                "prism.seed | 1.5 | a whole number of 64 bits",
                "prism.stats | console | off, log or micrometer",
                "prism.kernels | Vector API | auto, cuda, vector or scalar"
            })
    void aBadValueIsNamedWithItsFlagItsOriginAndWhatIsAccepted(String flag, String value, String accepted) {
        assertThatThrownBy(() -> load(flag, value))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("Flag " + flag + " has the value '" + value + "'")
                .hasMessageContaining("system property -D" + flag)
                .hasMessageContaining(accepted);
        assertThatThrownBy(() -> PrismConfig.load(
                        new Properties(),
                        Map.of(flag.toUpperCase(Locale.ROOT).replace('.', '_'), value),
                        Optional.empty()))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("environment variable PRISM_");
        assertThatThrownBy(() -> PrismConfig.load(new Properties(), Map.of(), file(flag + "=" + value)))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("file " + folder);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "   "})
    void anEmptyDrafterIsRefused(String value) {
        assertThatThrownBy(() -> load("prism.drafter", value))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("a folder, ngram or none");
    }

    @Test
    void theFileLiesBesideTheDrafter() throws IOException {
        Path drafter = Files.createDirectory(folder.resolve(PrismConfig.DRAFTER_FOLDER));
        Files.writeString(drafter.resolve(PrismConfig.FILE_NAME), "prism.tree=3,2,5\n");
        assertThat(PrismConfig.load(Optional.of(folder)).tree()).isEqualTo(TreeSpec.of(3, 2, 5));
        assertThat(PrismConfig.load(Optional.empty()).tree()).isEqualTo(TreeSpec.AUTO);
    }

    @Test
    void editDistanceCountsInsertionsDeletionsAndReplacements() {
        assertThat(ConfigReader.editDistance("", "abc")).isEqualTo(3);
        assertThat(ConfigReader.editDistance("kitten", "sitting")).isEqualTo(3);
        assertThat(ConfigReader.editDistance("same", "same")).isZero();
        assertThat(Arrays.stream(Flag.values()).map(Flag::property).distinct()).hasSize(Flag.values().length);
    }
}
