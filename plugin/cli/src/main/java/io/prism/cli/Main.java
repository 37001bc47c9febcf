package io.prism.cli;

import io.prism.spi.PrismException;
import java.io.PrintWriter;
import java.util.ServiceLoader;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** Entry of the command line. */
@Command(
        name = "prism",
        description = "Lossless speculative decoding for Jlama.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:failed; the message says what was found, what was expected and what to do",
            "2:the command line was wrong"
        },
        footer = {
            "",
            "Flags of decoding are set with -Dprism.NAME=VALUE before the command, with PRISM_NAME in the environment,"
                    + " or in a file prism.properties beside the drafter: see 'prism flags'.",
            "",
            "A drafter of your own is made by 'train', which the launcher ./prism fetches when it is first asked for: see"
                    + " './prism train --help'."
        })
public final class Main implements Runnable {

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--verbose", scope = ScopeType.INHERIT, description = "Show where in the code a failure came from.")
    private boolean verbose;

    public static void main(String[] arguments) {
        System.exit(commandLine().execute(arguments));
    }

    /** The command line with every command on the class path. */
    static CommandLine commandLine() {
        Main main = new Main();
        CommandLine commandLine = new CommandLine(main);
        for (CliCommand command : ServiceLoader.load(CliCommand.class, Main.class.getClassLoader())) {
            commandLine.addSubcommand(command);
        }
        return commandLine.setCaseInsensitiveEnumValuesAllowed(true).setExecutionExceptionHandler(main::explain);
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Which command? The first to try is 'prism demo'.");
    }

    private int explain(Exception failure, CommandLine commandLine, ParseResult parsed) {
        PrintWriter err = commandLine.getErr();
        if (failure instanceof PrismException) {
            err.println("prism: " + failure.getMessage());
        } else {
            err.println("prism: unexpected " + failure + (verbose ? "" : " (--verbose shows where)"));
        }
        if (verbose) {
            failure.printStackTrace(err);
        }
        return commandLine.getCommandSpec().exitCodeOnExecutionException();
    }

    /** Version of the jar that this class came from. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {
                "prism " + (version == null ? "(unpackaged)" : version),
                "Java " + Runtime.version() + ", " + System.getProperty("java.vm.name")
            };
        }
    }
}
