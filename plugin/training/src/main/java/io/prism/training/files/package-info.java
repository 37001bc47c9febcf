/** Files that are either whole or not there. */
@NullMarked
package io.prism.training.files;

import org.jspecify.annotations.NullMarked;
