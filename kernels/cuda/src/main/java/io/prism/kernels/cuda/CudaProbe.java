package io.prism.kernels.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.util.Locale;

/** Looks, before anything touches JCuda, whether this machine and JVM have what it takes. */
final class CudaProbe {
    static final String DRIVER_LIBRARY = "libcuda.so.1";
    private static final String JCUDA = "jcuda.driver.JCudaDriver";

    private CudaProbe() {}

    /** What is missing and how to get it, in one sentence; empty if nothing is. */
    static String unusableReason() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String architecture = System.getProperty("os.arch");
        if (!os.contains("linux") || !architecture.equals("amd64")) {
            return "it runs on Linux on x86-64 only, this is " + os + " on " + architecture + ".";
        }
        if (!CudaProbe.class.getModule().isNativeAccessEnabled()) {
            return "native access is off; start java with '--enable-native-access=ALL-UNNAMED'.";
        }
        if (!hasDriver()) {
            return "no NVIDIA driver was found (" + DRIVER_LIBRARY + "); on a machine with an NVIDIA GPU, install one.";
        }
        try {
            Class.forName(JCUDA, false, CudaProbe.class.getClassLoader());
        } catch (ClassNotFoundException | LinkageError e) {
            return "JCuda is not on the class path; add org.jcuda:jcuda:12.6.0 and"
                    + " org.jcuda:jcuda-natives:12.6.0:linux-x86_64.";
        }
        return CudaDevice.unusableReason();
    }

    private static boolean hasDriver() {
        try (Arena arena = Arena.ofConfined()) {
            SymbolLookup.libraryLookup(DRIVER_LIBRARY, arena);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
