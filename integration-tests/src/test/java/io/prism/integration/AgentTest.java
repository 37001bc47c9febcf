package io.prism.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.prism.integration.JavaProgram.Run;
import java.io.DataInputStream;
import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The drop-in jar in programs that know nothing of it. */
class AgentTest {
    private static final String GENERATE = "io.prism.programs.GenerateText";
    private static final String[] REQUEST = {GENERATE, DemoModel.folder().toString(), "48", "The capital of France is"};
    private static final int JAVA_17_CLASS_FILE = 61;

    private static Run withoutAgent;

    @TempDir
    private Path temporary;

    @BeforeAll
    static void runWithoutAgent() {
        withoutAgent = JavaProgram.onThisJava().run(REQUEST);
        assertThat(withoutAgent.status()).as(withoutAgent.err()).isZero();
    }

    @Test
    void theAgentAloneActivatesItInAnUnchangedProgram() {
        Run run = JavaProgram.onThisJava().withAgent().run(REQUEST);

        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.out()).isEqualTo(withoutAgent.out()).contains("streamed the same: true");
        assertThat(run.linesOfPrism()).hasSize(1);
        assertThat(run.linesOfPrism().getFirst())
                .startsWith("INFO")
                .contains("PRISM is active for " + DemoModel.NAME)
                .contains("drafter prism");
        assertThat(run.err()).contains("acceptance length");
    }

    @Test
    void flagsOnTheCommandLineReachIt() {
        Run run = JavaProgram.onThisJava()
                .with("-Dprism.drafter=none", "-Dprism.kernels=scalar", "-Dprism.stats=off")
                .withAgent()
                .run(REQUEST);

        assertThat(run.out()).isEqualTo(withoutAgent.out());
        assertThat(run.linesOfPrism()).hasSize(1);
        assertThat(run.linesOfPrism().getFirst()).contains("scalar").contains("no drafter");
        assertThat(run.err()).doesNotContain("acceptance length");
    }

    @Test
    void disabledItLeavesJlamaUntouchedAndSaysNothing() {
        Run run = JavaProgram.onThisJava()
                .with("-Dprism.enabled=false")
                .withAgent()
                .run(REQUEST);

        assertThat(run.out()).isEqualTo(withoutAgent.out());
        assertThat(run.err().lines().filter(line -> !line.contains("ms per token")))
                .containsExactlyElementsOf(withoutAgent
                        .err()
                        .lines()
                        .filter(line -> !line.contains("ms per token"))
                        .toList());
    }

    @Test
    void withoutTheVectorModuleItSaysSoInOneLineAndTheProgramGoesOn() {
        Run run = JavaProgram.plainlyOnThisJava().withAgent().run(hello());

        assertThat(run.status()).isZero();
        assertThat(run.out().strip()).isEqualTo("hello");
        assertThat(run.linesOfPrism())
                .containsExactly(
                        "[prism] not active: module jdk.incubator.vector is not there, PRISM and Jlama both need"
                                + " it; add the JVM option --add-modules jdk.incubator.vector. Jlama runs as without PRISM.");
    }

    @Test
    void onAnOlderJavaItSaysSoInOneLineAndTheProgramGoesOn() throws IOException {
        Run run = JavaProgram.on(java17()).withAgent().run(hello());

        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.out().strip()).isEqualTo("hello");
        assertThat(run.linesOfPrism())
                .containsExactly(
                        "[prism] not active: this is Java 17, PRISM needs Java 25 or newer; run the program on a"
                                + " newer JDK. Jlama runs as without PRISM.");
    }

    @Test
    void whereItCannotRunARequiredPrismAnnouncesThatLoadingAModelFails() throws IOException {
        Run run = JavaProgram.on(java17())
                .with("-Dprism.enabled=true")
                .withAgent()
                .run(hello());

        assertThat(run.status()).isZero();
        assertThat(run.linesOfPrism()).hasSize(1);
        assertThat(run.linesOfPrism().getFirst())
                .contains("this is Java 17")
                .endsWith("Because of prism.enabled=true, loading a model fails.");
    }

    @Test
    void withAnotherJlamaItSaysSoInOneLineAndStockJlamaGoesOn() throws IOException {
        Run run =
                JavaProgram.onThisJava().withClassPath(otherJlama()).withAgent().run(REQUEST);

        assertThat(run.out()).isEqualTo(withoutAgent.out());
        assertThat(run.linesOfPrism())
                .containsExactly("[prism] not active: this is Jlama 0.9.0, PRISM is made for Jlama 0.8.4 only; use"
                        + " com.github.tjake:jlama-core:0.8.4 or a PRISM made for your version. Jlama runs as without"
                        + " PRISM.");
    }

    @Test
    void withAnotherJlamaARequiredPrismIsAnErrorWhenTheModelIsLoaded() throws IOException {
        Run run = JavaProgram.onThisJava()
                .with("-Dprism.enabled=true")
                .withClassPath(otherJlama())
                .withAgent()
                .run(REQUEST);

        assertThat(run.status()).isNotZero();
        assertThat(run.err())
                .contains("io.prism.spi.PrismException: prism.enabled=true")
                .contains("this is Jlama 0.9.0")
                .contains("ModelSupport.loadModel");
    }

    @ParameterizedTest
    @ValueSource(strings = {"platform", "system"})
    void jlamaOnAClassLoaderOfItsOwnIsServedThere(String parent) {
        String[] inChild = Stream.concat(
                        Stream.of(
                                "io.prism.programs.RunInChildLoader",
                                parent,
                                String.join(File.pathSeparator, JavaProgram.withoutPrism())),
                        Stream.of(REQUEST))
                .toArray(String[]::new);
        String launcherOnly = JavaProgram.programs();

        // below the system loader the program's own classes come from there, and would not see Jlama
        String classPath = parent.equals("platform") ? launcherOnly : launcherWithoutPrograms();
        Run run = JavaProgram.onThisJava().withClassPath(classPath).withAgent().run(inChild);

        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.out()).isEqualTo(withoutAgent.out());
        assertThat(run.linesOfPrism()).hasSize(1);
        assertThat(run.linesOfPrism().getFirst()).contains("PRISM is active for " + DemoModel.NAME);
    }

    @Test
    void langChain4jsChatModelIsServed() throws IOException {
        DemoModel.copyTo(temporary.resolve("snakes_" + DemoModel.NAME));
        // what Jlama's downloader leaves behind, so that nothing is downloaded
        Files.createFile(temporary.resolve("snakes_" + DemoModel.NAME).resolve(".finished"));
        String[] chat = {
            "io.prism.programs.ChatWithLangChain4j",
            temporary.toString(),
            "snakes/" + DemoModel.NAME,
            "Hello, who are you?"
        };

        Run plain = JavaProgram.onThisJava().run(chat);
        Run run = JavaProgram.onThisJava().withAgent().run(chat);

        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.linesOfPrism()).hasSize(1);
        assertThat(run.linesOfPrism().getFirst()).contains("PRISM is active for");
        assertThat(run.out()).isEqualTo(plain.out());
    }

    @Test
    void aFlagThatDoesNotExistIsNamedWithTheNearestOneAndJlamaGoesOn() {
        Run run = JavaProgram.onThisJava()
                .with("-Dprism.draftr=ngram")
                .withAgent()
                .run(REQUEST);

        assertThat(run.out()).isEqualTo(withoutAgent.out());
        assertThat(run.linesOfPrism()).hasSize(1);
        assertThat(run.linesOfPrism().getFirst())
                .startsWith("WARN")
                .contains("prism.draftr")
                .contains("Did you mean 'prism.drafter'?");
    }

    @Test
    void theEntryRunsOnJava17() throws IOException {
        try (JarFile jar = new JarFile(JavaProgram.dropInJar().toFile());
                DataInputStream in = new DataInputStream(
                        jar.getInputStream(jar.getEntry("io/prism/jlama/agent/PrismAgent.class")))) {
            in.readInt();
            in.readUnsignedShort();
            assertThat(in.readUnsignedShort()).isEqualTo(JAVA_17_CLASS_FILE);
        }
    }

    /** JCuda's classes have to keep their names, by which its native library finds them. */
    @Test
    void theJarBringsNoLibraryUnderItsOwnNameButJCuda() throws IOException {
        try (JarFile jar = new JarFile(JavaProgram.dropInJar().toFile())) {
            List<String> strangers = jar.stream()
                    .map(entry -> entry.getName())
                    .filter(name -> name.endsWith(".class") && !name.startsWith("io/prism/"))
                    .filter(name -> !name.startsWith("jcuda/"))
                    .toList();
            assertThat(strangers).isEmpty();
        }
    }

    /** Only parts of JCuda are in the jar, and the tests' class path has all of it. */
    @Test
    void theJarHasAllThatItsPartsOfJCudaNeed() throws Exception {
        Path path = JavaProgram.dropInJar();
        try (JarFile jar = new JarFile(path.toFile());
                URLClassLoader alone =
                        new URLClassLoader(new URL[] {path.toUri().toURL()}, ClassLoader.getPlatformClassLoader())) {
            List<String> names = jar.stream()
                    .map(entry -> entry.getName())
                    .filter(name -> name.startsWith("jcuda/") && name.endsWith(".class"))
                    .map(name ->
                            name.substring(0, name.length() - ".class".length()).replace('/', '.'))
                    .toList();
            assertThat(names).contains("jcuda.driver.JCudaDriver");
            for (String name : names) {
                Class<?> part = Class.forName(name, false, alone);
                // each loads the classes that it names
                assertThat(part.getDeclaredConstructors()).as(name).isNotNull();
                assertThat(part.getDeclaredMethods()).as(name).isNotNull();
            }
        }
    }

    private static String[] hello() {
        return new String[] {
            Path.of(JavaProgram.programs()).resolve("Hello.java").toString()
        };
    }

    private String otherJlama() throws IOException {
        Path pom = temporary.resolve("META-INF/maven/com.github.tjake/jlama-core/pom.properties");
        Files.createDirectories(pom.getParent());
        Files.writeString(pom, "groupId=com.github.tjake\nartifactId=jlama-core\nversion=0.9.0\n");
        return temporary + File.pathSeparator + String.join(File.pathSeparator, JavaProgram.withoutPrism());
    }

    private String launcherWithoutPrograms() {
        Path launcher = Path.of("io/prism/programs/RunInChildLoader.class");
        try {
            Path copy = temporary.resolve(launcher);
            Files.createDirectories(copy.getParent());
            Files.copy(Path.of(JavaProgram.programs()).resolve(launcher), copy);
            return temporary.toString();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static Path java17() throws IOException {
        Path folder = Path.of("/usr/lib/jvm");
        if (!Files.isDirectory(folder)) {
            assumeThat(folder).as("a folder with JDKs, to find a Java 17 in").isDirectory();
        }
        try (Stream<Path> jdks = Files.list(folder)) {
            Optional<Path> java = jdks.filter(
                            jdk -> jdk.getFileName().toString().startsWith("java-17"))
                    .map(jdk -> jdk.resolve("bin/java"))
                    .filter(Files::isExecutable)
                    .findFirst();
            assumeThat(java).as("a Java 17 in " + folder).isPresent();
            return java.orElseThrow();
        }
    }
}
