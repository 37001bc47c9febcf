/** Choosing a drafter; each kind of drafter has a package of its own below. */
@NullMarked
package io.prism.drafter;

import org.jspecify.annotations.NullMarked;
