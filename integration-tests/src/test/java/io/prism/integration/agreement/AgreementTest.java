package io.prism.integration.agreement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.prism.jlama.synthetic.Q4Model;
import io.prism.jlama.synthetic.SyntheticModel;
import io.prism.jlama.synthetic.SyntheticShape;
import io.prism.kernels.Precision;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Our forward pass against stock Jlama's. {@code -Dprism.agreement=40} makes the whole table, of that many GSM8K
 * questions on every model of the shared folder, and writes it to {@code target/agreement.md}.
 */
class AgreementTest {
    /** F32 products summed in another order; the largest error of a row relative to its largest logit. */
    private static final double F32_TOLERANCE = 2e-3;

    private static final Path BUNDLED = Path.of("models", "llama-snakes-6m");
    private static final List<Exchange> EXCHANGES = List.of(
            new Exchange(
                    "A basket holds 12 apples and 7 pears. How many pieces of fruit are in three baskets?",
                    "One basket holds 12 + 7 = 19 pieces of fruit. Three baskets hold 3 * 19 = 57 pieces of fruit."),
            new Exchange(
                    "Write a short thank-you note to a neighbour who watered the plants.",
                    "Dear Anna, thank you so much for looking after our plants while we were away. They look wonderful!"));

    @TempDir
    Path folder;

    @Test
    void anF32ModelAgreesWithStock() {
        SyntheticModel.write(folder, SyntheticShape.named("tiny"), Precision.F32, 1, Optional.empty());
        Agreement agreement = Agreement.measure(folder, EXCHANGES);
        assertThat(agreement.between().largestRelative()).isLessThan(F32_TOLERANCE);
        // F32 rounding through two layers, against double precision
        assertThat(agreement.ours().rms()).isLessThan(1e-5);
    }

    @Test
    void onABf16ModelOursIsAtLeastAsNearToDoublePrecisionAsStock() {
        Agreement agreement = Agreement.measure(BUNDLED, EXCHANGES);
        assertThat(agreement.ours().rms()).isLessThanOrEqualTo(agreement.stock().rms());
        assertThat(agreement.ours().argmaxAgreement())
                .isGreaterThanOrEqualTo(agreement.stock().argmaxAgreement());
    }

    @Test
    void onASmallQ4ModelBothKeepF32Precision() {
        Path q4 = folder.resolve("q4");
        Q4Model.quantize(BUNDLED, q4);
        Agreement agreement = Agreement.measure(q4, EXCHANGES);
        assertThat(agreement.ours().argmaxAgreement()).isEqualTo(1);
        // so narrow that neither stock nor ours rounds activations
        assertThat(agreement.ours().rms()).isLessThan(1e-5);
        assertThat(agreement.between().largestRelative()).isLessThan(F32_TOLERANCE);
    }

    /** From a width of 512 on, stock rounds activations to I8. */
    @Test
    void onALargeQ4ModelOursIsAtLeastAsNearToDoublePrecisionAsStock() {
        Path q4 = wideQ4(folder);
        Agreement agreement = Agreement.measure(q4, EXCHANGES);
        assertThat(agreement.ours().rms()).isLessThanOrEqualTo(agreement.stock().rms());
        assertThat(agreement.ours().argmaxAgreement())
                .isGreaterThanOrEqualTo(agreement.stock().argmaxAgreement());
    }

    private static Path wideQ4(Path folder) {
        Path dense = folder.resolve("wide");
        Path q4 = folder.resolve("synthetic-512-wide-Q4");
        SyntheticModel.write(
                dense,
                new SyntheticShape("llama", 512, 1536, 4, 8, 4, 1024, 512, true),
                Precision.F32,
                1,
                Optional.empty());
        Q4Model.quantize(dense, q4);
        return q4;
    }

    @Test
    void everySharedModelAgreesWithStockOnGsm8k() throws Exception {
        String questions = System.getProperty("prism.agreement");
        assumeTrue(questions != null, "the whole table is made with -Dprism.agreement=40");
        Path shared = shared();
        assumeTrue(Files.isDirectory(shared.resolve("models")), "there are no models in " + shared);
        List<String> models = new ArrayList<>();
        try (Stream<Path> folders = Files.list(shared.resolve("models"))) {
            folders.filter(Files::isDirectory).sorted().map(Path::toString).forEach(models::add);
        }
        Path q4 = folder.resolve("llama-snakes-6m-Q4");
        Q4Model.quantize(shared.resolve("models").resolve("llama-snakes-6m"), q4);
        models.add(q4.toString());
        models.add(wideQ4(folder).toString());
        List<String> table = new ArrayList<>(List.of(Agreement.header()));
        for (String panama : List.of("false", "true")) {
            table.addAll(report(panama, shared.resolve("bench").resolve("gsm8k.jsonl"), questions, models));
        }
        Files.write(Path.of("target", "agreement.md"), table);
        assertThat(table).hasSize(1 + 2 * models.size());
    }

    private static Path shared() {
        String named = System.getProperty("prism.shared", System.getenv("PRISM_SHARED"));
        return named != null ? Path.of(named) : Path.of("..", "..", "shared");
    }

    private static List<String> report(String panama, Path file, String questions, List<String> models)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-Djlama.force_panama_tensor_operations=" + panama,
                "-cp",
                System.getProperty("java.class.path"),
                AgreementReport.class.getName(),
                file.toString(),
                questions));
        command.addAll(models);
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return Arrays.stream(output.split("\n"))
                .filter(line -> line.startsWith("|"))
                .toList();
    }
}
