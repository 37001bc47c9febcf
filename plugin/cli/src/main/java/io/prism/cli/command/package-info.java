/** The commands and the options they share. */
@NullMarked
package io.prism.cli.command;

import org.jspecify.annotations.NullMarked;
