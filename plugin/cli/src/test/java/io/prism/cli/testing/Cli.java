package io.prism.cli.testing;

import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;

/**
 * What a run of the command line gave.
 *
 * @param exitCode as to the shell
 * @param out stdout
 * @param err stderr
 */
public record Cli(int exitCode, String out, String err) {

    /** Runs a command line in this process. */
    public static Cli run(CommandLine commandLine, String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int exitCode = commandLine
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
        return new Cli(exitCode, out.toString(), err.toString());
    }
}
