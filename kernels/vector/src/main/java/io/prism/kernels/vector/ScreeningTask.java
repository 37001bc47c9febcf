package io.prism.kernels.vector;

import io.prism.kernels.Matrix;
import io.prism.kernels.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Rounds weights to I8 for a {@link ScreenedMatrix} and bounds the error of each output; a chunk is a panel.
 *
 * <p>With w a row of weights, q its rounding, and |.| Euclidean norms, the products differ by (w - q) x, at most |w - q| |x| by
 * the Cauchy-Schwarz inequality. To this come what the sums of both products round (Higham, Accuracy and Stability of Numerical
 * Algorithms, 2002, section 3.1: a sum of n products in any order is off by at most about n 2^-24 of the sum of their
 * magnitudes):
 *
 * <ul>
 *   <li>exact product: n 2^-24 |w| |x|.
 *   <li>I8, within a block of scale s: 32 weights between 1 and 2, and a start of at most 1.5 times the magnitudes of the
 *       activations, 33 roundings each: less than 170 x 2^-24 of these magnitudes, times 256 s.
 *   <li>I8, sum over B blocks, each at most 128 s times its activations' magnitudes: (B + 4) 2^-24 of that.
 * </ul>
 *
 * <p>A block's magnitudes add up to at most sqrt(32) times its norm, and all blocks' s times norms to the norm of s times |x|. The
 * exact product's share is taken twice, which leaves room for what computing with the bound rounds.
 */
final class ScreeningTask implements WorkerTeam.Task {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort BF16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int BLOCK = Precision.BLOCK;
    private static final int MOST = Byte.MAX_VALUE;
    private static final double HALF_ULP = 0x1p-24;
    private static final double SMALL = 1e-6;

    /** Covers products below the range of normal floats. */
    private static final double UNDERFLOW = 1e-18;

    /** The largest norm of weights: with activations as large nothing overflows. */
    static final double MOST_NORM = 1e15;

    private final Matrix source;
    private final ScreenedMatrix target;

    /** @param source F32 or BF16, with columns in whole blocks */
    ScreeningTask(Matrix source, ScreenedMatrix target) {
        this.source = source;
        this.target = target;
    }

    @Override
    public void run(int panel) {
        int columns = source.columns();
        int from = panel * PanelLayout.WIDTH;
        int to = Math.min(from + PanelLayout.WIDTH, source.rows());
        float[] weights = new float[columns];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(columns);
            MemorySegment scales = arena.allocate(Precision.I8.scaleBytes(columns), Float.BYTES);
            Matrix row = new Matrix(Precision.I8, 1, columns, bytes, scales);
            for (int output = from; output < to; output++) {
                decode(output, weights);
                target.margins()[output] = round(weights, row);
                PanelLayout.store(row, 0, target.copy().segment(), output, false);
            }
        }
    }

    private void decode(int output, float[] into) {
        long start = (long) output * into.length;
        if (source.precision() == Precision.F32) {
            for (int k = 0; k < into.length; k++) {
                into[k] = source.values().getAtIndex(F32, start + k);
            }
        } else {
            for (int k = 0; k < into.length; k++) {
                into[k] = Float.intBitsToFloat(source.values().getAtIndex(BF16, start + k) << 16);
            }
        }
    }

    /** Rounds a row and gives its margin; infinite if there is none. */
    private static float round(float[] weights, Matrix rounded) {
        double norm = 0;
        double error = 0;
        double scales = 0;
        for (int block = 0; block < weights.length / BLOCK; block++) {
            int from = block * BLOCK;
            float scale = largest(weights, from) / MOST;
            if (!(scale >= Float.MIN_NORMAL && scale <= MOST_NORM)) {
                scale = 0; // of zeros, or of what no scale is good for
            }
            float factor = scale == 0 ? 0 : 1 / scale;
            rounded.scales().set(F32, (long) block * Float.BYTES, scale);
            for (int k = from; k < from + BLOCK; k++) {
                int nearest = scale == 0 ? 0 : RoundedActivations.nearest(weights[k] * factor);
                rounded.values().set(ValueLayout.JAVA_BYTE, k, (byte) nearest);
                double off = weights[k] - (double) nearest * scale;
                norm += (double) weights[k] * weights[k];
                error += off * off;
            }
            scales += (double) scale * scale;
        }
        norm = Math.sqrt(norm);
        if (!(norm <= MOST_NORM)) {
            return Float.POSITIVE_INFINITY;
        }
        int blocks = weights.length / BLOCK;
        double sums = HALF_ULP
                * ((256 * 170 + 128 * (blocks + 4)) * Math.sqrt(BLOCK * scales) + 2 * (weights.length + 8) * norm);
        return Math.nextUp((float) ((Math.sqrt(error) + sums) * (1 + SMALL) + UNDERFLOW));
    }

    /** The largest magnitude of a block, NaN if there is one. */
    private static float largest(float[] weights, int from) {
        float largest = 0;
        for (int k = from; k < from + BLOCK; k++) {
            largest = Math.max(largest, Math.abs(weights[k]));
        }
        return largest;
    }
}
