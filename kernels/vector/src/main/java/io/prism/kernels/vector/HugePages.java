package io.prism.kernels.vector;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Memory on huge pages, where the system can be asked for them: on Linux, with native access enabled for this module.
 * Elsewhere, and where the system declines, the same memory on ordinary pages.
 *
 * <p>The advice has to come before a page is first touched, and {@link Arena#allocate(long)} touches them all to zero them;
 * so the memory is mapped here, and zero because fresh pages are.
 */
final class HugePages {
    /** Size and alignment of a huge page on x86-64 and AArch64. */
    static final long BYTES = 2L << 20;

    private static final Logger LOG = LoggerFactory.getLogger(HugePages.class);
    private static final int READ_WRITE = 1 | 2;
    private static final int PRIVATE_ANONYMOUS = 2 | 0x20;
    private static final long MAP_FAILED = -1;
    private static final int MADV_HUGEPAGE = 14;
    private static final Optional<Calls> CALLS = lookUp();

    private HugePages() {}

    private record Calls(MethodHandle map, MethodHandle advise, MethodHandle unmap) {
        MemorySegment mmap(long bytes) throws Throwable {
            return (MemorySegment) map.invokeExact(MemorySegment.NULL, bytes, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0L);
        }

        int madvise(MemorySegment memory, long bytes) throws Throwable {
            return (int) advise.invokeExact(memory, bytes, MADV_HUGEPAGE);
        }

        void munmap(MemorySegment memory, long bytes) {
            try {
                int result = (int) unmap.invokeExact(memory, bytes);
                LOG.trace("munmap of {} bytes returned {}", bytes, result);
            } catch (Throwable e) { // a method handle declares Throwable
                LOG.warn("{} bytes of memory stay mapped", bytes, e);
            }
        }
    }

    @SuppressWarnings("restricted")
    private static Optional<Calls> lookUp() {
        boolean linux = System.getProperty("os.name", "").equals("Linux");
        if (!linux || !HugePages.class.getModule().isNativeAccessEnabled()) {
            return Optional.empty();
        }
        FunctionDescriptor mmap = FunctionDescriptor.of(
                ValueLayout.ADDRESS,
                ValueLayout.ADDRESS,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG);
        FunctionDescriptor madvise = FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT);
        FunctionDescriptor munmap =
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG);
        return find("mmap", mmap)
                .flatMap(map -> find("madvise", madvise)
                        .flatMap(advise -> find("munmap", munmap).map(unmap -> new Calls(map, advise, unmap))));
    }

    @SuppressWarnings("restricted")
    private static Optional<MethodHandle> find(String name, FunctionDescriptor descriptor) {
        Linker linker = Linker.nativeLinker();
        return linker.defaultLookup().find(name).map(address -> linker.downcallHandle(address, descriptor));
    }

    /**
     * Allocates zeroed memory that lives as long as {@code arena}, aligned to {@link #BYTES} if it is at least that long,
     * else to {@code alignment}.
     *
     * @param bytes size, at least 1
     * @throws OutOfMemoryError if there is not so much
     */
    static MemorySegment allocate(Arena arena, long bytes, long alignment) {
        if (bytes < BYTES) {
            return arena.allocate(bytes, alignment);
        }
        return CALLS.flatMap(calls -> map(calls, arena, bytes)).orElseGet(() -> arena.allocate(bytes, BYTES));
    }

    @SuppressWarnings("restricted")
    private static Optional<MemorySegment> map(Calls calls, Arena arena, long bytes) {
        long mappedBytes = bytes + BYTES;
        try {
            MemorySegment mapped = calls.mmap(mappedBytes);
            if (mapped.address() == MAP_FAILED) {
                LOG.debug("mmap of {} bytes failed", mappedBytes);
                return Optional.empty();
            }
            MemorySegment whole = mapped.reinterpret(mappedBytes, arena, memory -> calls.munmap(memory, mappedBytes));
            MemorySegment aligned = whole.asSlice(-whole.address() & (BYTES - 1), bytes);
            int result = calls.madvise(aligned, bytes);
            LOG.trace("madvise of {} bytes returned {}", bytes, result);
            return Optional.of(aligned);
        } catch (Throwable e) { // a method handle declares Throwable; ordinary pages do as well, only slower
            LOG.debug("No huge pages for {} bytes of weights", bytes, e);
            return Optional.empty();
        }
    }
}
