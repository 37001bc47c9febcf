/** Reads conversations. */
@NullMarked
package io.prism.training.data;

import org.jspecify.annotations.NullMarked;
