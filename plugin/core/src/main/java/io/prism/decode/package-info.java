/** The decoding loop: sessions, rounds, stop rules, statistics and the handling of drafters that fail. */
@NullMarked
package io.prism.decode;

import org.jspecify.annotations.NullMarked;
