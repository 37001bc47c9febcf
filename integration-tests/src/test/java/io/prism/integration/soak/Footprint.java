package io.prism.integration.soak;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * What the process holds.
 *
 * @param heap bytes of live objects
 * @param buffers bytes of direct and mapped buffers
 * @param resident bytes of memory in use, everything included; 0 where the system does not say
 * @param threads live threads
 * @param files open files; 0 where the system does not say
 */
record Footprint(long heap, long buffers, long resident, int threads, long files) {

    static Footprint take() throws Exception {
        long heap = Long.MAX_VALUE;
        for (int i = 0; i < 4; i++) {
            System.gc();
            Thread.sleep(50); // for what is freed by other threads afterwards
            heap = Math.min(
                    heap,
                    ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
        }
        long buffers = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
        long files = ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
                ? unix.getOpenFileDescriptorCount()
                : 0;
        return new Footprint(
                heap,
                buffers,
                residentBytes(),
                ManagementFactory.getThreadMXBean().getThreadCount(),
                files);
    }

    private static long residentBytes() throws Exception {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return 0;
        }
        return Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                .findFirst()
                .orElse(0);
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "heap %.1f MiB, buffers %.1f MiB, resident %.0f MiB, %d threads, %d files",
                heap / 1048576.0,
                buffers / 1048576.0,
                resident / 1048576.0,
                threads,
                files);
    }
}
