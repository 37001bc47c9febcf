/**
 * Kernels in Java: {@code scalar}, the readable reference every other implementation is tested against, and
 * {@code vector}, written with the Vector API for the widest vectors of the machine.
 */
@NullMarked
package io.prism.kernels.vector;

import org.jspecify.annotations.NullMarked;
