/**
 * Rounds of drafting on an NVIDIA GPU, through JCuda's driver API. Nothing outside this package knows CUDA; it is found
 * as a {@link io.prism.kernels.DraftEngineProvider}.
 */
@NullMarked
package io.prism.kernels.cuda;

import org.jspecify.annotations.NullMarked;
