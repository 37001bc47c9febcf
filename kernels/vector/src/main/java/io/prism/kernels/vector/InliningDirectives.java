package io.prism.kernels.vector;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.management.JMException;
import javax.management.ObjectName;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the JIT compiler inline the Vector API and memory access into the kernels always.
 *
 * <p>While a program starts, the compiler profiles some calls of a kernel less often than others and then leaves them out of
 * line ("low call site frequency"). Vectors cross such a call as objects: kernels became 4 to 6 times slower for good, in
 * some starts and not in others. A directive for this package, given to the running JVM as {@code jcmd
 * Compiler.directives_add} gives it, takes the decision away from the profile.
 */
final class InliningDirectives {
    private static final Logger LOG = LoggerFactory.getLogger(InliningDirectives.class);

    private static final String DIRECTIVES = """
            [{
              match: ["io/prism/kernels/vector/*.*"],
              c2: {
                inline: [
                  "+jdk/incubator/vector/*.*",
                  "+jdk/internal/vm/vector/*.*",
                  "+jdk/internal/foreign/*.*",
                  "+jdk/internal/misc/ScopedMemoryAccess.*",
                  "+jdk/internal/util/*.*",
                  "+java/util/Objects.*"
                ]
              }
            }]
            """;

    private InliningDirectives() {}

    /** Gives the directives to this JVM; a JVM that does not take them runs as its profile has it. */
    static void give() {
        try {
            Path file = Files.createTempFile("prism-directives", ".json");
            try {
                Files.writeString(file, DIRECTIVES);
                Object answer = ManagementFactory.getPlatformMBeanServer()
                        .invoke(
                                new ObjectName("com.sun.management:type=DiagnosticCommand"),
                                "compilerDirectivesAdd",
                                new Object[] {new String[] {file.toString()}},
                                new String[] {String[].class.getName()});
                LOG.debug("Compiler directives for the kernels: {}", answer);
            } finally {
                Files.delete(file);
            }
        } catch (IOException | JMException | RuntimeException e) {
            LOG.debug("No compiler directives for the kernels: they may run slower", e);
        }
    }
}
