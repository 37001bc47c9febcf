/** Lets the target answer and records its hidden states. */
@NullMarked
package io.prism.training.capture;

import org.jspecify.annotations.NullMarked;
