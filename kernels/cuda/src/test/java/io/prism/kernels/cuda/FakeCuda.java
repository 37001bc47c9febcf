package io.prism.kernels.cuda;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/**
 * The driver without a device of src/test/native, built with g++ and loaded under the real one's name: everything that
 * asks for {@code libcuda.so.1} in this JVM gets it.
 */
final class FakeCuda {
    static final int OUT_OF_MEMORY = 2;
    static final int LAUNCH_FAILED = 719;

    private static final Path FOLDER = Path.of("target", "fake-cuda").toAbsolutePath();
    private static final boolean BUILT = build();
    private static final SymbolLookup LIBRARY = BUILT
            ? SymbolLookup.libraryLookup(FOLDER.resolve(CudaProbe.DRIVER_LIBRARY), Arena.global())
            : name -> java.util.Optional.empty();

    private FakeCuda() {}

    /** Loads it; skips the test where it can't be built. */
    static void use() {
        Assumptions.assumeTrue(BUILT, "g++ for x86-64 is missing: kernels are not tested on the CPU");
    }

    private static boolean build() {
        if (!System.getProperty("os.arch").equals("amd64")) {
            return false;
        }
        try {
            Process compiler = new ProcessBuilder("g++", "--version")
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (compiler.waitFor() != 0) {
                return false;
            }
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        try {
            Process build = new ProcessBuilder("bash", "src/test/native/build.sh", FOLDER.toString())
                    .inheritIO()
                    .start();
            if (!build.waitFor(10, TimeUnit.MINUTES) || build.exitValue() != 0) {
                throw new IllegalStateException("src/test/native/build.sh failed");
            }
            return true;
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The n-th call from now that can fail (from 1) fails; -1 for none. */
    static void failAt(long call, int result) {
        call("fake_cuda_fail_at", FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT), call, result);
    }

    /** Every call that can fail fails; 0 ends that. */
    static void loseDevice(int result) {
        call("fake_cuda_lose_device", FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT), result);
    }

    /** Compute capability of the device, for instance 80. */
    static void setCapability(int capability) {
        call("fake_cuda_set_capability", FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT), capability);
    }

    /** Calls so far that could have failed. */
    static long calls() {
        return (long) call("fake_cuda_calls", FunctionDescriptor.of(ValueLayout.JAVA_LONG));
    }

    static long replays() {
        return (long) call("fake_cuda_replays", FunctionDescriptor.of(ValueLayout.JAVA_LONG));
    }

    static long launches() {
        return (long) call("fake_cuda_launches", FunctionDescriptor.of(ValueLayout.JAVA_LONG));
    }

    /** Memory, graphs, streams, .. that were taken and not given back. */
    static long live() {
        return (long) call("fake_cuda_live", FunctionDescriptor.of(ValueLayout.JAVA_LONG));
    }

    /** The first call that a driver could not have made sense of; empty if there was none. */
    static String complaint() {
        MemorySegment text = (MemorySegment) call("fake_cuda_complaint", FunctionDescriptor.of(ValueLayout.ADDRESS));
        return text.reinterpret(Long.MAX_VALUE).getString(0);
    }

    private static Object call(String name, FunctionDescriptor type, Object... arguments) {
        MethodHandle function =
                Linker.nativeLinker().downcallHandle(LIBRARY.find(name).orElseThrow(), type);
        try {
            return function.invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new IllegalStateException(name, e);
        }
    }
}
