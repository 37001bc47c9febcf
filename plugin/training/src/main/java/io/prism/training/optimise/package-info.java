/** Optimisers and their schedule. */
@NullMarked
package io.prism.training.optimise;

import org.jspecify.annotations.NullMarked;
