/** Drafters in LibTorch, and the aligned forward pass they are trained with. */
@NullMarked
package io.prism.training.network;

import org.jspecify.annotations.NullMarked;
