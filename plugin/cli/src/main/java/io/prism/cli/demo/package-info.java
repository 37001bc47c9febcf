/** The demonstration: what it asks the bundled model, and where that model is. */
@NullMarked
package io.prism.cli.demo;

import org.jspecify.annotations.NullMarked;
