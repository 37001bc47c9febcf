/** The command line: its entry and the point where other modules add commands. */
@NullMarked
package io.prism.cli;

import org.jspecify.annotations.NullMarked;
