/**
 * The target's forward pass over Jlama's loaded weights, for decoder layers of the Llama family: token trees verified in
 * one pass, several conversations at once.
 */
@NullMarked
package io.prism.jlama.target;

import org.jspecify.annotations.NullMarked;
