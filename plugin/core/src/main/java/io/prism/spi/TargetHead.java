package io.prism.spi;

import io.prism.kernels.Kernels;
import io.prism.kernels.Matrix;
import io.prism.kernels.PackedMatrix;

/**
 * What turns hidden states after the final norm into logits: {@code softCap(multiplier x matrix h)}.
 *
 * @param matrix [vocabulary, hidden] where the target keeps it, to take rows from; outlived by the target
 * @param packed the same, ready for {@link Kernels#multiply}
 * @param multiplier factor on the logits, before the soft cap
 * @param softCap if positive, logits l become softCap x tanh(l / softCap); 0 for none
 */
public record TargetHead(Matrix matrix, PackedMatrix packed, float multiplier, float softCap) {}
