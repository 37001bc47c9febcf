package io.prism.cli.command;

import io.prism.cli.CliCommand;
import io.prism.config.Flag;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Prints the table of flags. */
@Command(
        name = "flags",
        description = "List the flags of decoding, with defaults and meanings.",
        mixinStandardHelpOptions = true)
public final class FlagsCommand implements CliCommand {

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        out.println("Set with -Dprism.NAME=VALUE, else PRISM_NAME in the environment, else prism.properties beside the"
                + " drafter.");
        for (Flag flag : Flag.values()) {
            out.println();
            out.println(flag.property() + "   (" + flag.environmentVariable() + ")");
            out.println("    " + flag.meaning());
            out.println("    values: " + flag.accepted() + "; default: " + flag.defaultValue());
        }
        out.flush();
        return 0;
    }
}
