/** What targets, drafters and hosts implement. Knows no particular engine. */
@NullMarked
package io.prism.spi;

import org.jspecify.annotations.NullMarked;
