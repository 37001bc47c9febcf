package io.prism.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** A program in a JVM of its own. */
final class JavaProgram {
    /** Only a program that hangs comes near it, however busy the machine is. */
    private static final int LONGEST_SECONDS = 600;

    /** Exit status and what was written. */
    record Run(int status, String out, String err) {

        /** Lines that PRISM wrote, by the agent itself or to the log. */
        List<String> linesOfPrism() {
            return err.lines()
                    .filter(line -> line.contains("[prism]") || line.contains("PRISM"))
                    .toList();
        }
    }

    private final List<String> command = new ArrayList<>();
    private String classPath = String.join(File.pathSeparator, withoutPrism());

    private JavaProgram(Path java) {
        command.add(java.toString());
    }

    /** On the JVM that runs the tests, with what Jlama asks for. */
    static JavaProgram onThisJava() {
        // larger batches than 5 rows are where Jlama's native matrix product computes wrong rows
        return plainlyOnThisJava().with("--add-modules", "jdk.incubator.vector", "-Djlama.max_batch_size=5");
    }

    static JavaProgram plainlyOnThisJava() {
        return new JavaProgram(Path.of(System.getProperty("java.home"), "bin", "java"));
    }

    static JavaProgram on(Path java) {
        return new JavaProgram(java);
    }

    JavaProgram with(String... options) {
        command.addAll(List.of(options));
        return this;
    }

    JavaProgram withAgent() {
        return with("-javaagent:" + dropInJar());
    }

    JavaProgram withClassPath(String path) {
        classPath = path;
        return this;
    }

    Run run(String... mainAndArguments) {
        Path out = null;
        Path err = null;
        try {
            out = Files.createTempFile("program", ".out");
            err = Files.createTempFile("program", ".err");
            List<String> whole = new ArrayList<>(command);
            whole.addAll(List.of("-Xmx2g", "-Dlogback.configurationFile=program-logback.xml", "-cp", classPath));
            whole.addAll(List.of(mainAndArguments));
            ProcessBuilder builder =
                    new ProcessBuilder(whole).redirectOutput(out.toFile()).redirectError(err.toFile());
            // a flag of the tests' own environment must not reach the program
            builder.environment().keySet().removeIf(name -> name.startsWith("PRISM_"));
            Process process = builder.start();
            if (!process.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("Still running after " + LONGEST_SECONDS + " s: " + whole);
            }
            return new Run(process.exitValue(), Files.readString(out), Files.readString(err));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } finally {
            delete(out);
            delete(err);
        }
    }

    private static void delete(Path file) {
        if (file != null) {
            file.toFile().delete();
        }
    }

    /** The tests' class path without anything of PRISM: Jlama, its dependencies, a logger, and these programs. */
    static List<String> withoutPrism() {
        return classPathOfTests().stream()
                .filter(entry -> !entry.matches(".*[/\\\\]prism-[a-z-]+-[0-9].*\\.jar"))
                .filter(entry -> !entry.endsWith(File.separator + "classes"))
                .toList();
    }

    /** The folder of the programs themselves, and of nothing else but tests. */
    static String programs() {
        return classPathOfTests().stream()
                .filter(entry -> entry.endsWith("test-classes"))
                .collect(Collectors.joining(File.pathSeparator));
    }

    /** What users put on their command line. */
    static Path dropInJar() {
        List<String> jars = classPathOfTests().stream()
                .filter(entry -> entry.matches(".*[/\\\\]prism-jlama-[0-9].*\\.jar"))
                .toList();
        assertThat(jars)
                .as("the drop-in jar; these tests run after packaging: mvnw verify")
                .hasSize(1);
        return Path.of(jars.getFirst());
    }

    private static List<String> classPathOfTests() {
        String path = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        return Arrays.asList(path.split(File.pathSeparator));
    }
}
