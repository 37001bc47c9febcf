package io.prism.kernels.vector;

import static io.prism.kernels.vector.VectorMath.LANES;
import static io.prism.kernels.vector.VectorMath.SPECIES;

import io.prism.kernels.GumbelNoise;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import org.jspecify.annotations.Nullable;

/**
 * {@link GumbelNoise}. Arguments as in {@link io.prism.kernels.Kernels}; written in one piece for the reasons of {@link
 * VectorMath}.
 *
 * <p>A fraction v comes with u = 1 - v from the complements of its bits, so that both have the full precision of floats near 0.
 * log(u) is then that of 1 - v where u is near 1, and of u elsewhere.
 *
 * <p>No masks and no choice between vectors: either was boxed once a call. So tokens are read from where their noise goes, the last
 * vector overlaps the one before, and fewer tokens than a vector takes are left to the definition.
 */
final class VectorNoise {
    private static final FloatVector TO_FRACTION = FloatVector.broadcast(SPECIES, 0x1p-31f);
    private static final FloatVector HALF = FloatVector.broadcast(SPECIES, 0x1p-32f);
    private static final FloatVector LN_2 = FloatVector.broadcast(SPECIES, 0.6931472f);
    private static final float SQRT_HALF = 0.70710677f;
    private static final int SQRT_HALF_BITS = Float.floatToRawIntBits(SQRT_HALF);
    private static final int EXPONENT_SHIFT = 23;

    // Minimax fit of (log(1 + f) - f) / f^2 for 1 + f from sqrt(1/2) to sqrt(2); relative error of the logarithm 4e-9
    // before rounding.
    private static final FloatVector L0 = FloatVector.broadcast(SPECIES, -0.499999881f);
    private static final FloatVector L1 = FloatVector.broadcast(SPECIES, 0.333333254f);
    private static final FloatVector L2 = FloatVector.broadcast(SPECIES, -0.250015855f);
    private static final FloatVector L3 = FloatVector.broadcast(SPECIES, 0.200019822f);
    private static final FloatVector L4 = FloatVector.broadcast(SPECIES, -0.166090637f);
    private static final FloatVector L5 = FloatVector.broadcast(SPECIES, 0.141816705f);
    private static final FloatVector L6 = FloatVector.broadcast(SPECIES, -0.132429674f);
    private static final FloatVector L7 = FloatVector.broadcast(SPECIES, 0.129053012f);
    private static final FloatVector L8 = FloatVector.broadcast(SPECIES, -0.0762285143f);

    private VectorNoise() {}

    /** Puts the bits of tokens where their noise will be. */
    private static void putIds(int @Nullable [] ids, int from, int to, float[] y, int yOffset) {
        if (ids == null) {
            for (int i = from; i < to; i++) {
                y[yOffset + i] = Float.intBitsToFloat(i);
            }
        } else {
            for (int i = from; i < to; i++) {
                y[yOffset + i] = Float.intBitsToFloat(ids[i]);
            }
        }
    }

    static void gumbel(long key, int @Nullable [] ids, int length, float factor, float[] y, int yOffset) {
        int lowKey = (int) key;
        int highKey = (int) (key >>> 32);
        if (length < LANES) {
            for (int i = 0; i < length; i++) {
                y[yOffset + i] = (float) (factor * GumbelNoise.of(key, ids == null ? i : ids[i]));
            }
            return;
        }
        putIds(ids, 0, length, y, yOffset);
        for (int done = 0; done < length; done += LANES) {
            int from = Math.min(done, length - LANES);
            if (from < done) {
                putIds(ids, from, length, y, yOffset);
            }
            IntVector id = FloatVector.fromArray(SPECIES, y, yOffset + from).reinterpretAsInts();
            IntVector low = id.mul(GumbelNoise.ID_FACTOR).add(lowKey);
            low = low.lanewise(VectorOperators.XOR, low.lanewise(VectorOperators.LSHR, GumbelNoise.FIRST_SHIFT))
                    .mul(GumbelNoise.FIRST_FACTOR);
            low = low.lanewise(VectorOperators.XOR, low.lanewise(VectorOperators.LSHR, GumbelNoise.SECOND_SHIFT))
                    .mul(GumbelNoise.SECOND_FACTOR);
            low = low.lanewise(VectorOperators.XOR, low.lanewise(VectorOperators.LSHR, GumbelNoise.THIRD_SHIFT));
            IntVector high = low.lanewise(VectorOperators.XOR, highKey);
            high = high.lanewise(VectorOperators.XOR, high.lanewise(VectorOperators.LSHR, GumbelNoise.FIRST_SHIFT))
                    .mul(GumbelNoise.FIRST_FACTOR);
            high = high.lanewise(VectorOperators.XOR, high.lanewise(VectorOperators.LSHR, GumbelNoise.SECOND_SHIFT))
                    .mul(GumbelNoise.SECOND_FACTOR);
            high = high.lanewise(VectorOperators.XOR, high.lanewise(VectorOperators.LSHR, GumbelNoise.THIRD_SHIFT));
            FloatVector v = ((FloatVector) low.lanewise(VectorOperators.LSHR, 1).convert(VectorOperators.I2F, 0))
                    .lanewise(VectorOperators.FMA, TO_FRACTION, HALF)
                    .add((FloatVector) high.lanewise(VectorOperators.LSHR, 1).convert(VectorOperators.I2F, 0))
                    .mul(TO_FRACTION);
            FloatVector u = ((FloatVector)
                            low.not().lanewise(VectorOperators.LSHR, 1).convert(VectorOperators.I2F, 0))
                    .lanewise(VectorOperators.FMA, TO_FRACTION, HALF)
                    .add((FloatVector)
                            high.not().lanewise(VectorOperators.LSHR, 1).convert(VectorOperators.I2F, 0))
                    .mul(TO_FRACTION);
            // -log(u)
            IntVector bits = u.reinterpretAsInts();
            IntVector exponent = bits.sub(SQRT_HALF_BITS).lanewise(VectorOperators.ASHR, EXPONENT_SHIFT);
            FloatVector f = bits.sub(exponent.lanewise(VectorOperators.LSHL, EXPONENT_SHIFT))
                    .reinterpretAsFloats()
                    .sub(1f);
            f = f.blend(v.neg(), u.compare(VectorOperators.GE, SQRT_HALF));
            FloatVector p = L8.lanewise(VectorOperators.FMA, f, L7);
            p = p.lanewise(VectorOperators.FMA, f, L6);
            p = p.lanewise(VectorOperators.FMA, f, L5);
            p = p.lanewise(VectorOperators.FMA, f, L4);
            p = p.lanewise(VectorOperators.FMA, f, L3);
            p = p.lanewise(VectorOperators.FMA, f, L2);
            p = p.lanewise(VectorOperators.FMA, f, L1);
            p = p.lanewise(VectorOperators.FMA, f, L0);
            p = p.mul(f).lanewise(VectorOperators.FMA, f, f);
            FloatVector e = ((FloatVector) exponent.convert(VectorOperators.I2F, 0))
                    .lanewise(VectorOperators.FMA, LN_2, p)
                    .neg();
            // -log(e)
            bits = e.reinterpretAsInts();
            exponent = bits.sub(SQRT_HALF_BITS).lanewise(VectorOperators.ASHR, EXPONENT_SHIFT);
            f = bits.sub(exponent.lanewise(VectorOperators.LSHL, EXPONENT_SHIFT))
                    .reinterpretAsFloats()
                    .sub(1f);
            p = L8.lanewise(VectorOperators.FMA, f, L7);
            p = p.lanewise(VectorOperators.FMA, f, L6);
            p = p.lanewise(VectorOperators.FMA, f, L5);
            p = p.lanewise(VectorOperators.FMA, f, L4);
            p = p.lanewise(VectorOperators.FMA, f, L3);
            p = p.lanewise(VectorOperators.FMA, f, L2);
            p = p.lanewise(VectorOperators.FMA, f, L1);
            p = p.lanewise(VectorOperators.FMA, f, L0);
            p = p.mul(f).lanewise(VectorOperators.FMA, f, f);
            FloatVector noise = ((FloatVector) exponent.convert(VectorOperators.I2F, 0))
                    .lanewise(VectorOperators.FMA, LN_2, p)
                    .neg();
            noise.mul(factor).intoArray(y, yOffset + from);
        }
    }
}
