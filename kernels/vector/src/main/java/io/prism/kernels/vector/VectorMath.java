package io.prism.kernels.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Exponentials and sums over arrays. Every lane goes through the same correctly rounded operations, so an element's
 * result has the same bits in any lane, compiled or interpreted.
 *
 * <p>exp(x), for x at most 0, minus infinity included, is within 2 ulp and 0 where it would be subnormal. It is written
 * out in every loop, and the loops are masked throughout instead of having a separate end: whether the compiler inlines
 * a method of ours depends on how often it has seen the call, and vectors passed to a method that isn't inlined are
 * allocated, which makes a loop many times slower. So are accumulators that start as a constant object: they start as a
 * fresh zero.
 */
final class VectorMath {
    /** The widest vectors of the machine, at most 16 lanes: a block of the key layout is one vector or several. */
    static final VectorSpecies<Float> SPECIES =
            FloatVector.SPECIES_PREFERRED.length() > 16 ? FloatVector.SPECIES_512 : FloatVector.SPECIES_PREFERRED;

    static final int LANES = SPECIES.length();

    /** Lane i receives lane i + distance: adding the result folds a vector to a sum in a fixed order. */
    static final VectorShuffle<Float> FOLD_8 = fold(8);

    static final VectorShuffle<Float> FOLD_4 = fold(4);
    static final VectorShuffle<Float> FOLD_2 = fold(2);
    static final VectorShuffle<Float> FOLD_1 = fold(1);

    private static final FloatVector ONE = FloatVector.broadcast(SPECIES, 1f);

    private static final float LOG2_E = 1.442695f;
    private static final FloatVector LN_2 = FloatVector.broadcast(SPECIES, -0.6931472f);
    /** What -ln 2 has beyond {@link #LN_2}. */
    private static final FloatVector LN_2_REST = FloatVector.broadcast(SPECIES, 1.9046543e-9f);
    /** Adding it leaves a number's nearest integer in the low bits of the sum. */
    private static final float ROUND = 0x1.8p23f;
    /** Below it exp(x) is smaller than the least normal number. */
    private static final float UNDERFLOW = -87.33654f;

    private static final int EXPONENT_SHIFT = 23;

    // Minimax fit of (exp(r) - 1 - r) / r^2 for |r| <= ln(2)/2; relative error of exp 3e-9 before rounding.
    private static final FloatVector E2 = FloatVector.broadcast(SPECIES, 0.49999994f);
    private static final FloatVector E3 = FloatVector.broadcast(SPECIES, 0.16666521f);
    private static final FloatVector E4 = FloatVector.broadcast(SPECIES, 0.04166839f);
    private static final FloatVector E5 = FloatVector.broadcast(SPECIES, 0.0083687175f);
    private static final FloatVector E6 = FloatVector.broadcast(SPECIES, 0.0013814596f);

    // Minimax fit of (tanh(x)/x - 1) / x^2 in x^2 for |x| <= 0.625; relative error of tanh 4e-9 before rounding.
    private static final float TANH_POLYNOMIAL_LIMIT = 0.625f;
    private static final FloatVector T0 = FloatVector.broadcast(SPECIES, -0.33333284f);
    private static final FloatVector T1 = FloatVector.broadcast(SPECIES, 0.13331491f);
    private static final FloatVector T2 = FloatVector.broadcast(SPECIES, -0.053743497f);
    private static final FloatVector T3 = FloatVector.broadcast(SPECIES, 0.02065058f);
    private static final FloatVector T4 = FloatVector.broadcast(SPECIES, -0.0057170372f);

    private VectorMath() {}

    private static VectorShuffle<Float> fold(int distance) {
        return VectorShuffle.fromOp(SPECIES, lane -> (lane + distance) % LANES);
    }

    /** y = exp(-|x|). {@code y} may be {@code x}. */
    static void expOfNegativeSize(float[] x, int xOffset, int length, float[] y, int yOffset) {
        for (int i = 0; i < length; i += LANES) {
            VectorMask<Float> mask = SPECIES.indexInRange(i, length);
            FloatVector v =
                    FloatVector.fromArray(SPECIES, x, xOffset + i, mask).abs().neg();
            FloatVector shifted = v.lanewise(VectorOperators.FMA, LOG2_E, ROUND);
            FloatVector n = shifted.sub(ROUND);
            FloatVector r = n.lanewise(VectorOperators.FMA, LN_2, v);
            r = n.lanewise(VectorOperators.FMA, LN_2_REST, r);
            FloatVector p = E6.lanewise(VectorOperators.FMA, r, E5);
            p = p.lanewise(VectorOperators.FMA, r, E4);
            p = p.lanewise(VectorOperators.FMA, r, E3);
            p = p.lanewise(VectorOperators.FMA, r, E2);
            p = p.mul(r).lanewise(VectorOperators.FMA, r, r).add(1f);
            FloatVector e = p.reinterpretAsInts()
                    .add(shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, EXPONENT_SHIFT))
                    .reinterpretAsFloats()
                    .blend(0f, v.compare(VectorOperators.LT, UNDERFLOW));
            e.intoArray(y, yOffset + i, mask);
        }
    }

    /** y = exp((x - largest) factor); returns the sum. {@code y} may be {@code x}. */
    static float exponentials(float[] x, int xOffset, int length, float largest, float factor, float[] y, int yOffset) {
        FloatVector zero = FloatVector.zero(SPECIES);
        FloatVector sum = zero;
        for (int i = 0; i < length; i += LANES) {
            VectorMask<Float> mask = SPECIES.indexInRange(i, length);
            FloatVector v = FloatVector.fromArray(SPECIES, x, xOffset + i, mask)
                    .sub(largest)
                    .mul(factor);
            FloatVector shifted = v.lanewise(VectorOperators.FMA, LOG2_E, ROUND);
            FloatVector n = shifted.sub(ROUND);
            FloatVector r = n.lanewise(VectorOperators.FMA, LN_2, v);
            r = n.lanewise(VectorOperators.FMA, LN_2_REST, r);
            FloatVector p = E6.lanewise(VectorOperators.FMA, r, E5);
            p = p.lanewise(VectorOperators.FMA, r, E4);
            p = p.lanewise(VectorOperators.FMA, r, E3);
            p = p.lanewise(VectorOperators.FMA, r, E2);
            p = p.mul(r).lanewise(VectorOperators.FMA, r, r).add(1f);
            FloatVector e = p.reinterpretAsInts()
                    .add(shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, EXPONENT_SHIFT))
                    .reinterpretAsFloats()
                    .blend(0f, v.compare(VectorOperators.LT, UNDERFLOW));
            e.intoArray(y, yOffset + i, mask);
            sum = zero.blend(e, mask).add(sum);
        }
        if (LANES >= 16) {
            sum = sum.add(sum.rearrange(FOLD_8));
        }
        if (LANES >= 8) {
            sum = sum.add(sum.rearrange(FOLD_4));
        }
        if (LANES >= 4) {
            sum = sum.add(sum.rearrange(FOLD_2));
        }
        return sum.add(sum.rearrange(FOLD_1)).lane(0);
    }

    /** The sum of exp((x - largest) factor). */
    static float sumOfExponentials(float[] x, int offset, int length, float largest, float factor) {
        FloatVector zero = FloatVector.zero(SPECIES);
        FloatVector sum = zero;
        for (int i = 0; i < length; i += LANES) {
            VectorMask<Float> mask = SPECIES.indexInRange(i, length);
            FloatVector v = FloatVector.fromArray(SPECIES, x, offset + i, mask)
                    .sub(largest)
                    .mul(factor);
            FloatVector shifted = v.lanewise(VectorOperators.FMA, LOG2_E, ROUND);
            FloatVector n = shifted.sub(ROUND);
            FloatVector r = n.lanewise(VectorOperators.FMA, LN_2, v);
            r = n.lanewise(VectorOperators.FMA, LN_2_REST, r);
            FloatVector p = E6.lanewise(VectorOperators.FMA, r, E5);
            p = p.lanewise(VectorOperators.FMA, r, E4);
            p = p.lanewise(VectorOperators.FMA, r, E3);
            p = p.lanewise(VectorOperators.FMA, r, E2);
            p = p.mul(r).lanewise(VectorOperators.FMA, r, r).add(1f);
            FloatVector e = p.reinterpretAsInts()
                    .add(shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, EXPONENT_SHIFT))
                    .reinterpretAsFloats()
                    .blend(0f, v.compare(VectorOperators.LT, UNDERFLOW));
            sum = zero.blend(e, mask).add(sum);
        }
        if (LANES >= 16) {
            sum = sum.add(sum.rearrange(FOLD_8));
        }
        if (LANES >= 8) {
            sum = sum.add(sum.rearrange(FOLD_4));
        }
        if (LANES >= 4) {
            sum = sum.add(sum.rearrange(FOLD_2));
        }
        return sum.add(sum.rearrange(FOLD_1)).lane(0);
    }

    /** x = limit tanh(x / limit), tanh within a few ulp. */
    static void limit(float[] x, int offset, int length, float limit) {
        for (int i = 0; i < length; i += LANES) {
            VectorMask<Float> mask = SPECIES.indexInRange(i, length);
            FloatVector t = FloatVector.fromArray(SPECIES, x, offset + i, mask).div(limit);
            FloatVector size = t.abs();
            FloatVector v = size.mul(-2f);
            FloatVector shifted = v.lanewise(VectorOperators.FMA, LOG2_E, ROUND);
            FloatVector n = shifted.sub(ROUND);
            FloatVector r = n.lanewise(VectorOperators.FMA, LN_2, v);
            r = n.lanewise(VectorOperators.FMA, LN_2_REST, r);
            FloatVector p = E6.lanewise(VectorOperators.FMA, r, E5);
            p = p.lanewise(VectorOperators.FMA, r, E4);
            p = p.lanewise(VectorOperators.FMA, r, E3);
            p = p.lanewise(VectorOperators.FMA, r, E2);
            p = p.mul(r).lanewise(VectorOperators.FMA, r, r).add(1f);
            FloatVector e = p.reinterpretAsInts()
                    .add(shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, EXPONENT_SHIFT))
                    .reinterpretAsFloats()
                    .blend(0f, v.compare(VectorOperators.LT, UNDERFLOW));
            FloatVector far = ONE.sub(e).div(e.add(1f));
            far = far.blend(far.neg(), t.compare(VectorOperators.LT, 0f));
            FloatVector z = t.mul(t);
            FloatVector near = T4.lanewise(VectorOperators.FMA, z, T3);
            near = near.lanewise(VectorOperators.FMA, z, T2);
            near = near.lanewise(VectorOperators.FMA, z, T1);
            near = near.lanewise(VectorOperators.FMA, z, T0);
            near = near.mul(z).lanewise(VectorOperators.FMA, t, t);
            far.blend(near, size.compare(VectorOperators.LT, TANH_POLYNOMIAL_LIMIT))
                    .mul(limit)
                    .intoArray(x, offset + i, mask);
        }
    }
}
