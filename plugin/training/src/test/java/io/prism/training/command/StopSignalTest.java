package io.prism.training.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

class StopSignalTest {
    /** What a terminated process ends with: 128 and the number of SIGTERM. */
    private static final int TERMINATED = 143;

    /** Works in steps, as training does, until it is told to stop; then takes its time to leave. */
    static final class Steps {
        private Steps() {}

        public static void main(String[] args) throws InterruptedException {
            try (StopSignal stop = new StopSignal()) {
                System.out.println("working");
                while (true) {
                    Thread.sleep(5);
                    stop.check();
                }
            } catch (StopSignal.Stopped e) {
                System.out.println("stopped between steps");
            }
        }
    }

    @Test
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "there a process is terminated without being asked")
    @Timeout(value = 5, unit = TimeUnit.MINUTES) // only a process that hangs comes near it
    void aTerminatedProcessEndsBetweenTwoSteps() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Steps.class.getName())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader out = process.inputReader()) {
            assertThat(out.readLine()).isEqualTo("working");
            process.toHandle().destroy(); // unlike the process's own, leaves its output open
            assertThat(out.readLine()).isEqualTo("stopped between steps");
            assertThat(process.waitFor()).isEqualTo(TERMINATED);
        } finally {
            process.destroyForcibly();
        }
    }
}
