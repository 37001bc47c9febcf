/** Drafting by looking up how the text went on after the same words before (prompt look-up). Needs no training. */
@NullMarked
package io.prism.drafter.ngram;

import org.jspecify.annotations.NullMarked;
