/** What a training run is to do: recipes and hyperparameters. Knows no tensors. */
@NullMarked
package io.prism.training.plan;

import org.jspecify.annotations.NullMarked;
