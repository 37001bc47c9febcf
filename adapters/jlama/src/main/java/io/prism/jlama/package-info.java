/**
 * PRISM for programs that call it: {@link io.prism.jlama.PrismModels} loads a model, {@link io.prism.jlama.Prism} makes
 * one that is loaded already generate with PRISM. A program that can't be changed uses the agent instead.
 */
@NullMarked
package io.prism.jlama;

import org.jspecify.annotations.NullMarked;
