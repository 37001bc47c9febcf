package io.prism.kernels.vector;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.LoggerFactory;

/** How many cores this process may compute on, hardware threads of one core counted once. */
final class PhysicalCores {
    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

    private PhysicalCores() {}

    /** Physical cores where the system says (Linux), else processors; never more than the JVM may use. */
    static int count() {
        int processors = Runtime.getRuntime().availableProcessors();
        if (!Files.isReadable(CPU_INFO)) {
            return processors;
        }
        try {
            int cores = countCores(Files.readAllLines(CPU_INFO));
            return cores == 0 ? processors : Math.min(cores, processors);
        } catch (IOException e) {
            LoggerFactory.getLogger(PhysicalCores.class)
                    .debug("{} could not be read, using {} threads", CPU_INFO, processors, e);
            return processors;
        }
    }

    /** Distinct pairs of socket and core in the lines of {@code /proc/cpuinfo}; 0 where it doesn't name them. */
    static int countCores(List<String> lines) {
        Set<String> cores = new HashSet<>();
        String socket = "";
        for (String line : lines) {
            String value = line.substring(line.indexOf(':') + 1).strip();
            if (line.startsWith("physical id")) {
                socket = value;
            } else if (line.startsWith("core id")) {
                cores.add(socket + "/" + value);
            }
        }
        return cores.size();
    }
}
