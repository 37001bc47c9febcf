/** Jlama as an engine for tools: loads models, tells stock decoding and PRISM's target apart, says what is wrong with a folder. */
@NullMarked
package io.prism.jlama.host;

import org.jspecify.annotations.NullMarked;
