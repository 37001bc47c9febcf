/**
 * Jlama's {@code generate()} on top of {@link io.prism.decode.SpeculativeDecoder}: what callers of Jlama rely on, kept,
 * and PRISM's state of a model, which lives and dies with the model.
 */
@NullMarked
package io.prism.jlama.generate;

import org.jspecify.annotations.NullMarked;
