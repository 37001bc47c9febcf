/**
 * Draft models that predict from the target's own hidden states: PRISM, and its relatives EAGLE-1/2, HASS and EAGLE-3,
 * which the same code expresses. One round: the extend step runs the first module over all newly accepted positions with
 * the target's hidden states; further steps run the levels of a token tree, each with the module of its step, on one
 * shared KV cache; the target verifies, and what drafting wrote to the cache is dropped.
 */
@NullMarked
package io.prism.drafter.prism;

import org.jspecify.annotations.NullMarked;
