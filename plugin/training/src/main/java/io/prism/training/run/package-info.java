/** A training run: stages, checkpoints, validation, curves. */
@NullMarked
package io.prism.training.run;

import org.jspecify.annotations.NullMarked;
