package io.prism.cli;

import java.util.concurrent.Callable;

/**
 * A command of {@code prism}; found with {@link java.util.ServiceLoader}, so that other modules can add theirs. The
 * implementation carries picocli's {@link picocli.CommandLine.Command} with its name and options; its result is the exit
 * code.
 */
public interface CliCommand extends Callable<Integer> {}
