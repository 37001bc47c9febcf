/** Losses at the target's head. */
@NullMarked
package io.prism.training.loss;

import org.jspecify.annotations.NullMarked;
