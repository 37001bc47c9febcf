/** Models as commands use them: found, loaded, and decoded with stock, plainly or speculatively. */
@NullMarked
package io.prism.cli.model;

import org.jspecify.annotations.NullMarked;
