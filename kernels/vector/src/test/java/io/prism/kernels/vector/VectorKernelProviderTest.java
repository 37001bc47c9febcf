package io.prism.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.prism.kernels.KernelSelection;
import io.prism.kernels.Kernels;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class VectorKernelProviderTest {

    @Test
    void isChosenWhereTheVectorApiIsReadable() {
        KernelSelection selection =
                KernelSelection.select(KernelSelection.AUTO, VectorKernelProviderTest.class.getClassLoader());
        assertThat(selection.provider()).isInstanceOf(VectorKernelProvider.class);
        assertThat(selection.provider().unusableReason()).isEmpty();
    }

    @Test
    void opensWithTheThreadsAskedForOrOnePerCore() {
        VectorKernelProvider provider = new VectorKernelProvider();
        try (Kernels three = provider.open(3);
                Kernels automatic = provider.open(0)) {
            assertThat(three.threads()).isEqualTo(3);
            assertThat(three.description()).contains("vector", "bit", "3 threads");
            assertThat(automatic.threads()).isBetween(1, Runtime.getRuntime().availableProcessors());
        }
        assertThatThrownBy(() -> provider.open(-1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("-1 threads");
    }

    @Test
    void saysWhatToPassWhereTheVectorApiIsMissing() throws IOException, InterruptedException {
        assertThat(outputOf(WithoutVectorApi.class))
                .contains("usable: false", "--add-modules jdk.incubator.vector", "chosen: scalar", "IllegalState");
    }

    @Test
    void computesInARuntimeWithoutTheManagementModule() throws IOException, InterruptedException {
        assertThat(outputOf(
                        WithoutManagement.class,
                        "--add-modules=jdk.incubator.vector",
                        "--limit-modules=jdk.incubator.vector"))
                .contains("management: false", "argmax: 2");
    }

    /** What a program writes in a JVM of its own, which must end well. */
    private static String outputOf(Class<?> program, String... options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), program.getName()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }

    /** Run in a JVM of the fewest modules that can compute. */
    static final class WithoutManagement {
        private WithoutManagement() {}

        public static void main(String[] arguments) {
            System.out.println("management: "
                    + ModuleLayer.boot().findModule("java.management").isPresent());
            try (Kernels kernels = new VectorKernelProvider().open(2)) {
                System.out.println("argmax: " + kernels.argmax(new float[] {0, 1, 3, 2}, 0, 4));
            }
        }
    }

    /** Run in a JVM without the incubator module. */
    static final class WithoutVectorApi {
        private WithoutVectorApi() {}

        public static void main(String[] arguments) {
            VectorKernelProvider provider = new VectorKernelProvider();
            System.out.println("usable: " + provider.isUsable() + ", " + provider.unusableReason());
            KernelSelection selection =
                    KernelSelection.select(KernelSelection.AUTO, WithoutVectorApi.class.getClassLoader());
            System.out.println("chosen: " + selection.provider().name() + " " + selection.notes());
            try {
                provider.open(1).close();
            } catch (IllegalStateException e) {
                System.out.println(e);
            }
        }
    }

    @Test
    void countsHardwareThreadsOfACoreOnce() {
        assertThat(PhysicalCores.countCores(List.of(
                        "processor\t: 0",
                        "physical id\t: 0",
                        "core id\t\t: 0",
                        "processor\t: 1",
                        "physical id\t: 0",
                        "core id\t\t: 0",
                        "processor\t: 2",
                        "physical id\t: 1",
                        "core id\t\t: 0")))
                .isEqualTo(2);
        assertThat(PhysicalCores.countCores(List.of("processor\t: 0", "BogoMIPS\t: 50.00")))
                .isZero();
    }
}
