/**
 * Models made larger without changing what they compute, for measuring at the cost of a real size what a small model says.
 *
 * <p>Wider: states, heads and MLP are padded with zeros, and norms rescaled. Deeper: layers are added whose output
 * projections are zero. More tokens: rows are added that repeat a token which the model never produces.
 */
@NullMarked
package io.prism.jlama.expansion;

import org.jspecify.annotations.NullMarked;
