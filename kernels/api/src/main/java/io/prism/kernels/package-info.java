/**
 * Arithmetic for transformer decoding: matrices, caches and the operations on them, with no knowledge of models.
 *
 * <p>Implementations are found with {@link java.util.ServiceLoader} through {@link io.prism.kernels.KernelProvider}.
 * Every operation is <em>row independent</em>: the result of a row is bitwise the same whether it is computed alone or
 * together with any number of others, on any number of threads. Speculative decoding is lossless because of it.
 */
@NullMarked
package io.prism.kernels;

import org.jspecify.annotations.NullMarked;
