/** Verification: which drafted tokens the target would have produced itself, and which token it produces next. */
@NullMarked
package io.prism.verify;

import org.jspecify.annotations.NullMarked;
