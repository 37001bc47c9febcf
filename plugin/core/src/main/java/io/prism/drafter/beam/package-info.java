/** Growing token trees level by level, for drafters that give distributions. */
@NullMarked
package io.prism.drafter.beam;

import org.jspecify.annotations.NullMarked;
