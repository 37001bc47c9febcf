/** Bringing the work of several threads together, so that it can be done as one. */
@NullMarked
package io.prism.batch;

import org.jspecify.annotations.NullMarked;
