package io.prism.kernels.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Elementary functions on whole vectors. Every lane goes through the same correctly rounded operations, so an element's
 * result has the same bits in any lane, compiled or interpreted.
 */
final class VectorMath {
    /** The widest vectors of the machine, at most 16 lanes: a block of the key layout is one vector or several. */
    static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED.length() > 16
            ? FloatVector.SPECIES_512
            : FloatVector.SPECIES_PREFERRED;

    static final int LANES = SPECIES.length();

    private static final float LOG2_E = 1.442695f;
    private static final float LN_2 = 0.6931472f;
    /** ln 2 less {@link #LN_2}. */
    private static final float LN_2_REST = -1.9046543e-9f;
    /** Adding it leaves a number's nearest integer in the low bits of the sum. */
    private static final float ROUND = 0x1.8p23f;
    /** Below it exp(x) is smaller than the least normal number and counts as 0. */
    private static final float EXP_UNDERFLOW = -87.33654f;

    private static final int EXPONENT_SHIFT = 23;

    // Minimax fit of (exp(r) - 1 - r) / r^2 for |r| <= ln(2)/2; relative error of exp 3e-9 before rounding.
    private static final float E2 = 0.49999994f;
    private static final float E3 = 0.16666521f;
    private static final float E4 = 0.04166839f;
    private static final float E5 = 0.0083687175f;
    private static final float E6 = 0.0013814596f;

    // Minimax fit of (tanh(x)/x - 1) / x^2 in x^2 for |x| <= 0.625; relative error of tanh 4e-9 before rounding.
    private static final float TANH_POLYNOMIAL_LIMIT = 0.625f;
    private static final float T0 = -0.33333284f;
    private static final float T1 = 0.13331491f;
    private static final float T2 = -0.053743497f;
    private static final float T3 = 0.02065058f;
    private static final float T4 = -0.0057170372f;

    private static final VectorShuffle<Float> FOLD_8 = fold(8);
    private static final VectorShuffle<Float> FOLD_4 = fold(4);
    private static final VectorShuffle<Float> FOLD_2 = fold(2);
    private static final VectorShuffle<Float> FOLD_1 = fold(1);

    private VectorMath() {}

    private static VectorShuffle<Float> fold(int distance) {
        return VectorShuffle.fromOp(SPECIES, lane -> (lane + distance) % LANES);
    }

    /** exp(x) for x at most 0, minus infinity included, within 2 ulp; 0 where it would be subnormal. */
    static FloatVector expNonPositive(FloatVector x) {
        FloatVector shifted = x.lanewise(VectorOperators.FMA, LOG2_E, ROUND);
        FloatVector n = shifted.sub(ROUND);
        FloatVector r = n.lanewise(VectorOperators.FMA, FloatVector.broadcast(SPECIES, -LN_2), x);
        r = n.lanewise(VectorOperators.FMA, FloatVector.broadcast(SPECIES, -LN_2_REST), r);
        FloatVector p = r.lanewise(VectorOperators.FMA, E6, E5);
        p = p.lanewise(VectorOperators.FMA, r, FloatVector.broadcast(SPECIES, E4));
        p = p.lanewise(VectorOperators.FMA, r, FloatVector.broadcast(SPECIES, E3));
        p = p.lanewise(VectorOperators.FMA, r, FloatVector.broadcast(SPECIES, E2));
        p = p.mul(r).lanewise(VectorOperators.FMA, r, r).add(1f);
        IntVector scale = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, EXPONENT_SHIFT);
        FloatVector result = p.reinterpretAsInts().add(scale).reinterpretAsFloats();
        return result.blend(0f, x.compare(VectorOperators.LT, EXP_UNDERFLOW));
    }

    /** 1 / (1 + exp(-x)), within a few ulp. */
    static FloatVector sigmoid(FloatVector x) {
        FloatVector e = expNonPositive(x.abs().neg());
        FloatVector numerator = e.blend(1f, x.compare(VectorOperators.GE, 0f));
        return numerator.div(e.add(1f));
    }

    /** tanh(x), within a few ulp. */
    static FloatVector tanh(FloatVector x) {
        FloatVector size = x.abs();
        FloatVector e = expNonPositive(size.mul(-2f));
        FloatVector far = FloatVector.broadcast(SPECIES, 1f).sub(e).div(e.add(1f));
        FloatVector signed = far.blend(far.neg(), x.compare(VectorOperators.LT, 0f));
        return signed.blend(tanhNearZero(x), size.compare(VectorOperators.LT, TANH_POLYNOMIAL_LIMIT));
    }

    private static FloatVector tanhNearZero(FloatVector x) {
        FloatVector z = x.mul(x);
        FloatVector p = z.lanewise(VectorOperators.FMA, T4, T3);
        p = p.lanewise(VectorOperators.FMA, z, FloatVector.broadcast(SPECIES, T2));
        p = p.lanewise(VectorOperators.FMA, z, FloatVector.broadcast(SPECIES, T1));
        p = p.lanewise(VectorOperators.FMA, z, FloatVector.broadcast(SPECIES, T0));
        return p.mul(z).lanewise(VectorOperators.FMA, x, x);
    }

    /** Sum of all lanes in a fixed order, which {@code reduceLanes} does not promise. */
    static float sum(FloatVector v) {
        FloatVector folded = v;
        if (LANES >= 16) {
            folded = folded.add(folded.rearrange(FOLD_8));
        }
        if (LANES >= 8) {
            folded = folded.add(folded.rearrange(FOLD_4));
        }
        if (LANES >= 4) {
            folded = folded.add(folded.rearrange(FOLD_2));
        }
        return folded.add(folded.rearrange(FOLD_1)).lane(0);
    }

    /** Lane-wise larger of two, {@code a} where either is NaN. */
    static FloatVector larger(FloatVector a, FloatVector b) {
        return a.blend(b, b.compare(VectorOperators.GT, a));
    }

    /** Lanes that hold elements below {@code limit} when lane 0 holds element {@code from}. */
    static VectorMask<Float> lanesBelow(int from, int limit) {
        return SPECIES.indexInRange(from, limit);
    }
}
