package io.prism.integration;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/**
 * A GPU that g++ makes of the CUDA kernels' sources, for this JVM: a driver is loaded under the name of NVIDIA's and runs
 * them on the CPU.
 */
final class EmulatedGpu {
    private static final Path FOLDER = Path.of("target", "fake-cuda").toAbsolutePath();
    private static final String BUILD = "../kernels/cuda/src/test/native/build.sh";

    private final SymbolLookup driver;

    private EmulatedGpu(SymbolLookup driver) {
        this.driver = driver;
    }

    /** Builds and loads it; skips the test where that is impossible. */
    static EmulatedGpu open() {
        Assumptions.assumeTrue(System.getProperty("os.arch").equals("amd64"), "the emulation is written for x86-64");
        Assumptions.assumeTrue(run("g++", "--version") == 0, "g++ is missing");
        if (run("bash", BUILD, FOLDER.toString()) != 0) {
            throw new IllegalStateException(BUILD + " failed");
        }
        return new EmulatedGpu(SymbolLookup.libraryLookup(FOLDER.resolve("libcuda.so.1"), Arena.global()));
    }

    private static int run(String... command) {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            return process.waitFor(10, TimeUnit.MINUTES) ? process.exitValue() : -1;
        } catch (IOException e) {
            return -1;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The n-th call from now fails for want of memory; -1 for none. */
    void failAt(long call) {
        invoke("fake_cuda_fail_at", FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT), call, 2);
    }

    /** From now on every call fails, or none. */
    void lose(boolean lost) {
        invoke("fake_cuda_lose_device", FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT), lost ? 719 : 0);
    }

    /** Rounds run so far. */
    long rounds() {
        return (long) invoke("fake_cuda_replays", FunctionDescriptor.of(ValueLayout.JAVA_LONG));
    }

    /** What was taken and not given back. */
    long live() {
        return (long) invoke("fake_cuda_live", FunctionDescriptor.of(ValueLayout.JAVA_LONG));
    }

    private Object invoke(String name, FunctionDescriptor type, Object... arguments) {
        try {
            return Linker.nativeLinker()
                    .downcallHandle(driver.find(name).orElseThrow(), type)
                    .invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new IllegalStateException(name, e);
        }
    }
}
