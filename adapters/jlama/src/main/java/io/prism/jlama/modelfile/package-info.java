/** Writing model folders, a few megabytes in memory at a time. */
@NullMarked
package io.prism.jlama.modelfile;

import org.jspecify.annotations.NullMarked;
