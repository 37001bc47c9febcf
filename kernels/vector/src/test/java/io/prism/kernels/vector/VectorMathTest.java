package io.prism.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

class VectorMathTest {
    private static final float NEGATIVE_INFINITY = Float.NEGATIVE_INFINITY;

    @Test
    void expIsWithinTwoUlpOverItsWholeRange() {
        assertThat(worstUlp(VectorMath::expNonPositive, Math::exp, -87.3f, 0, 1e-4f)).isLessThan(2);
    }

    @Test
    void sigmoidIsWithinFourUlp() {
        DoubleUnaryOperator sigmoid = x -> 1 / (1 + Math.exp(-x));
        assertThat(worstUlp(VectorMath::sigmoid, sigmoid, -86, 90, 1e-3f)).isLessThan(4);
    }

    @Test
    void tanhIsWithinFourUlp() {
        assertThat(worstUlp(VectorMath::tanh, Math::tanh, -12, 12, 1e-4f)).isLessThan(4);
        assertThat(worstUlp(VectorMath::tanh, Math::tanh, -1e-2f, 1e-2f, 1e-7f)).isLessThan(4);
    }

    @Test
    void argumentsFarOutSaturate() {
        assertThat(of(VectorMath::expNonPositive, 0f)).isEqualTo(1f);
        assertThat(of(VectorMath::expNonPositive, -88f)).isZero();
        assertThat(of(VectorMath::expNonPositive, -1e30f)).isZero();
        assertThat(of(VectorMath::expNonPositive, NEGATIVE_INFINITY)).isZero();
        assertThat(of(VectorMath::sigmoid, 1e30f)).isEqualTo(1f);
        assertThat(of(VectorMath::sigmoid, -1e30f)).isZero();
        assertThat(of(VectorMath::tanh, 1e30f)).isEqualTo(1f);
        assertThat(of(VectorMath::tanh, NEGATIVE_INFINITY)).isEqualTo(-1f);
    }

    @Test
    void theSumOfLanesIsFoldedInHalves() {
        float[] lanes = Samples.normal(5, VectorMath.LANES, 1);
        float[] folded = lanes.clone();
        for (int width = VectorMath.LANES / 2; width > 0; width /= 2) {
            for (int i = 0; i < width; i++) {
                folded[i] += folded[i + width];
            }
        }
        assertThat(VectorMath.sum(FloatVector.fromArray(VectorMath.SPECIES, lanes, 0)))
                .isEqualTo(folded[0]);
    }

    private static float of(UnaryOperator<FloatVector> function, float x) {
        return function.apply(FloatVector.broadcast(VectorMath.SPECIES, x)).lane(0);
    }

    /** Largest error on a grid, in units of the last place of the result. */
    private static double worstUlp(
            UnaryOperator<FloatVector> function, DoubleUnaryOperator expected, float from, float to, float step) {
        double worst = 0;
        float[] lanes = new float[VectorMath.LANES];
        float[] results = new float[VectorMath.LANES];
        int count = (int) ((to - from) / step);
        for (int start = 0; start < count; start += lanes.length) {
            for (int i = 0; i < lanes.length; i++) {
                lanes[i] = Math.min(to, from + (start + i) * step);
            }
            function.apply(FloatVector.fromArray(VectorMath.SPECIES, lanes, 0)).intoArray(results, 0);
            for (int i = 0; i < lanes.length; i++) {
                double right = expected.applyAsDouble(lanes[i]);
                worst = Math.max(worst, Math.abs(results[i] - right) / Math.ulp((float) right));
            }
        }
        return worst;
    }
}
