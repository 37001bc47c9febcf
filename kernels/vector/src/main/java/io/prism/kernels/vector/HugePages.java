package io.prism.kernels.vector;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks the system for huge pages, where it can be asked: on Linux, with native access enabled for this module. */
final class HugePages {
    /** Size and alignment of a huge page on x86-64 and AArch64. */
    static final long BYTES = 2L << 20;

    private static final Logger LOG = LoggerFactory.getLogger(HugePages.class);
    private static final int MADV_HUGEPAGE = 14;
    private static final Optional<MethodHandle> MADVISE = lookUp();

    private HugePages() {}

    @SuppressWarnings("restricted")
    private static Optional<MethodHandle> lookUp() {
        boolean linux = System.getProperty("os.name", "").equals("Linux");
        if (!linux || !HugePages.class.getModule().isNativeAccessEnabled()) {
            return Optional.empty();
        }
        Linker linker = Linker.nativeLinker();
        FunctionDescriptor madvise = FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT);
        return linker.defaultLookup().find("madvise").map(address -> linker.downcallHandle(address, madvise));
    }

    /** Advises huge pages for a native segment aligned to {@link #BYTES}; without effect where not supported. */
    static void advise(MemorySegment segment) {
        if (MADVISE.isEmpty() || segment.byteSize() < BYTES) {
            return;
        }
        try {
            int result = (int) MADVISE.get().invokeExact(segment, segment.byteSize(), MADV_HUGEPAGE);
            LOG.trace("madvise of {} bytes returned {}", segment.byteSize(), result);
        } catch (Throwable e) { // a method handle declares Throwable; ordinary pages do as well, only slower
            LOG.debug("No huge pages for {} bytes of weights", segment.byteSize(), e);
        }
    }
}
