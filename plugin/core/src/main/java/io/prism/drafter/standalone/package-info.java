/** A separate small language model as drafter. */
@NullMarked
package io.prism.drafter.standalone;

import org.jspecify.annotations.NullMarked;
