package io.prism.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.Consumer;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

class VectorMathTest {
    private static final Consumer<float[]> EXP = x -> VectorMath.expOfNegativeSize(x, 0, x.length, x, 0);
    private static final Consumer<float[]> TANH = x -> VectorMath.limit(x, 0, x.length, 1);

    @Test
    void expIsWithinTwoUlpOverItsWholeRange() {
        assertThat(worstUlp(EXP, Math::exp, -87.3f, 0, 1e-4f)).isLessThan(2);
    }

    @Test
    void tanhIsWithinFourUlp() {
        assertThat(worstUlp(TANH, Math::tanh, -12, 12, 1e-4f)).isLessThan(4);
        assertThat(worstUlp(TANH, Math::tanh, -1e-2f, 1e-2f, 1e-7f)).isLessThan(4);
    }

    @Test
    void argumentsFarOutSaturate() {
        float[] x = {0, -88, -1e30f, Float.NEGATIVE_INFINITY};
        EXP.accept(x);
        assertThat(x).containsExactly(1, 0, 0, 0);
        float[] y = {1e30f, Float.POSITIVE_INFINITY, -1e30f, Float.NEGATIVE_INFINITY};
        TANH.accept(y);
        assertThat(y).containsExactly(1, 1, -1, -1);
    }

    @Test
    void allExponentialsHaveTheSameBitsInAnyLane() {
        float[] x = Samples.normal(1, 4098, 20);
        for (int i = 0; i < x.length; i++) {
            x[i] = -Math.abs(x[i]);
        }
        float[] shifted = new float[x.length];
        VectorMath.expOfNegativeSize(x, 0, x.length, shifted, 0);
        for (int from = 1; from < 40; from++) {
            int length = x.length - from;
            float[] y = new float[length];
            VectorMath.exponentials(x, from, length, 0, 1, y, 0);
            for (int i = 0; i < length; i++) {
                assertThat(y[i]).isEqualTo(shifted[from + i]);
            }
        }
    }

    @Test
    void sumsAreFoldedInHalves() {
        float[] x = Samples.normal(5, VectorMath.LANES, 1);
        float[] folded = x.clone();
        VectorMath.exponentials(x, 0, x.length, 5, 1, folded, 0);
        for (int width = VectorMath.LANES / 2; width > 0; width /= 2) {
            for (int i = 0; i < width; i++) {
                folded[i] += folded[i + width];
            }
        }
        assertThat(VectorMath.sumOfExponentials(x, 0, x.length, 5, 1)).isEqualTo(folded[0]);
        assertThat(VectorMath.exponentials(x, 0, x.length, 5, 1, x, 0)).isEqualTo(folded[0]);
    }

    /** Largest error on a grid, in units of the last place of the result. */
    private static double worstUlp(
            Consumer<float[]> function, DoubleUnaryOperator expected, float from, float to, float step) {
        int count = (int) ((to - from) / step);
        float[] arguments = new float[count];
        for (int i = 0; i < count; i++) {
            arguments[i] = Math.min(to, from + i * step);
        }
        float[] results = arguments.clone();
        function.accept(results);
        double worst = 0;
        for (int i = 0; i < count; i++) {
            double right = expected.applyAsDouble(arguments[i]);
            worst = Math.max(worst, Math.abs(results[i] - right) / Math.ulp((float) right));
        }
        return worst;
    }
}
