/** The command line's <em>train</em>. */
@NullMarked
package io.prism.training.command;

import org.jspecify.annotations.NullMarked;
