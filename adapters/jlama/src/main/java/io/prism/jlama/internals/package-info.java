/**
 * The one place that reaches into Jlama's protected and private state; everything else of the adapter works with what
 * this package hands out.
 */
@NullMarked
package io.prism.jlama.internals;

import org.jspecify.annotations.NullMarked;
