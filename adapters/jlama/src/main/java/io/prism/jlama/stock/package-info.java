/**
 * Verification through Jlama's own forward pass, for models that ours does not compute: chains instead of trees, in
 * batches that Jlama computes right.
 */
@NullMarked
package io.prism.jlama.stock;

import org.jspecify.annotations.NullMarked;
