/** Models with random weights at chosen shapes, for measuring and testing where no trained model is at hand. */
@NullMarked
package io.prism.jlama.synthetic;

import org.jspecify.annotations.NullMarked;
