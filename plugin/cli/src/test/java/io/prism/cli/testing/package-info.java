/** A small engine that needs no model, for tests. */
@NullMarked
package io.prism.cli.testing;

import org.jspecify.annotations.NullMarked;
