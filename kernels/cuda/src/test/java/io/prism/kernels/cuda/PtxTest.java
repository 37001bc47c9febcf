package io.prism.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import jcuda.nvptxcompiler.JNvPTXCompiler;
import jcuda.nvptxcompiler.nvPTXCompileResult;
import jcuda.nvptxcompiler.nvPTXCompilerHandle;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The committed PTX: of the sources beside it, in the versions promised, and fit for an assembler. */
class PtxTest {
    private static final Path SOURCES = Path.of("src", "main", "cuda");
    private static final Path RESOURCES = Path.of("src", "main", "resources", "io", "prism", "kernels", "cuda");
    private static final String MANIFEST = "ptx-manifest.txt";
    private static final String REBUILD = "run kernels/cuda/build-ptx.sh and commit what it writes";

    /** A line of the manifest. */
    private record Entry(String source, String ptx) {}

    private static Map<String, Entry> manifest(Path folder) throws IOException {
        Map<String, Entry> entries = new TreeMap<>();
        for (String line : Files.readAllLines(folder.resolve(MANIFEST))) {
            if (!line.startsWith("#")) {
                String[] words = line.split(" ");
                entries.put(words[0], new Entry(words[1], words[2]));
            }
        }
        return entries;
    }

    private static String hash(byte[]... parts) throws NoSuchAlgorithmException {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        for (byte[] part : parts) {
            digest.update(part);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static List<Path> files(String ending) throws IOException {
        try (Stream<Path> all = Files.list(SOURCES)) {
            return all.filter(file -> file.toString().endsWith(ending)).sorted().toList();
        }
    }

    static Stream<PtxImage> images() {
        return PtxImage.CAPABILITIES.stream()
                .flatMap(target -> PtxImage.SOURCES.stream().map(source -> PtxImage.read(target, source)));
    }

    @Test
    void everyPtxIsOfTheSourceBesideIt() throws IOException, NoSuchAlgorithmException {
        byte[][] headers = files(".cuh").stream().map(PtxTest::read).toArray(byte[][]::new);
        Map<String, Entry> manifest = manifest(RESOURCES);
        List<Path> sources = files(".cu");
        assertThat(manifest).hasSize(sources.size() * PtxImage.CAPABILITIES.size());
        assertThat(sources.stream().map(file -> file.getFileName().toString().replace(".cu", "")))
                .containsExactlyInAnyOrderElementsOf(PtxImage.SOURCES);
        for (Path source : sources) {
            byte[][] parts = Arrays.copyOf(headers, headers.length + 1);
            parts[headers.length] = read(source);
            String name = source.getFileName().toString().replace(".cu", ".ptx");
            for (int target : PtxImage.CAPABILITIES) {
                String file = "sm_" + target + "/" + name;
                assertThat(manifest).containsKey(file);
                assertThat(manifest.get(file).source)
                        .as("%s: %s", file, REBUILD)
                        .isEqualTo(hash(parts));
                assertThat(manifest.get(file).ptx)
                        .as("%s: %s", file, REBUILD)
                        .isEqualTo(hash(read(RESOURCES.resolve(file))));
            }
        }
    }

    private static byte[] read(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("images")
    void everyPtxIsInAVersionThatOldDriversLoadAndIsAssembled(PtxImage image) {
        String target = image.name().substring(0, image.name().indexOf('/'));
        assertThat(image.text())
                .startsWith(target.equals("sm_90") ? ".version 7.8\n" : ".version 7.0\n")
                .contains(".target " + target + "\n");
        assertThat(image.kernels()).isNotEmpty();
        assemble(image, target);
    }

    private static void assemble(PtxImage image, String target) {
        JCudaLibrary.load(PtxTest::touchAssembler);
        byte[] text = Arrays.copyOf(
                image.text().getBytes(StandardCharsets.US_ASCII), image.text().length() + 1);
        nvPTXCompilerHandle compiler = new nvPTXCompilerHandle();
        assertThat(JNvPTXCompiler.nvPTXCompilerCreate(compiler, text.length, text))
                .isEqualTo(nvPTXCompileResult.NVPTXCOMPILE_SUCCESS);
        try {
            // without optimisation it says as much about the text, in a fraction of the time
            String[] options = {"--gpu-name=" + target, "--opt-level=0"};
            int result = JNvPTXCompiler.nvPTXCompilerCompile(compiler, options.length, options);
            assertThat(result).as(() -> errors(compiler)).isEqualTo(nvPTXCompileResult.NVPTXCOMPILE_SUCCESS);
            long[] size = {0};
            JNvPTXCompiler.nvPTXCompilerGetCompiledProgramSize(compiler, size);
            assertThat(size[0]).isPositive();
        } finally {
            JNvPTXCompiler.nvPTXCompilerDestroy(compiler);
        }
    }

    private static void touchAssembler() {
        JNvPTXCompiler.setExceptionsEnabled(false);
    }

    private static String errors(nvPTXCompilerHandle compiler) {
        long[] size = {0};
        JNvPTXCompiler.nvPTXCompilerGetErrorLogSize(compiler, size);
        byte[] log = new byte[(int) size[0] + 1];
        JNvPTXCompiler.nvPTXCompilerGetErrorLog(compiler, log);
        return new String(log, StandardCharsets.UTF_8);
    }

    @Test
    void theSameCompilerGivesTheSamePtxAgain(@TempDir Path folder) throws IOException, InterruptedException {
        String release = Files.readAllLines(RESOURCES.resolve(MANIFEST)).get(1);
        Assumptions.assumeTrue(
                ("# " + output("nvcc", "--version")).contains(release.substring(2)),
                "PTX is not built anew: nvcc is missing or not the one of the manifest, " + release);
        // one target, as the three differ in little and all take minutes
        String target = String.valueOf(CudaDevice.TENSOR_CAPABILITY);
        Process build = new ProcessBuilder("bash", "build-ptx.sh", folder.toString(), target)
                .inheritIO()
                .start();
        assertThat(build.waitFor(10, TimeUnit.MINUTES)).isTrue();
        assertThat(build.exitValue()).isZero();
        Map<String, Entry> rebuilt = manifest(folder);
        assertThat(rebuilt).hasSize(PtxImage.SOURCES.size());
        assertThat(manifest(RESOURCES)).as(REBUILD).containsAllEntriesOf(rebuilt);
    }

    private static String output(String... command) throws InterruptedException {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            process.waitFor();
            return output;
        } catch (IOException e) {
            return "";
        }
    }
}
