package io.prism.kernels.cuda;

import io.prism.kernels.DraftWeights.Projection;
import io.prism.kernels.Matrix;
import io.prism.kernels.Precision;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;

/**
 * A random matrix and the values it stands for.
 *
 * @param values [rows, columns]
 */
@SuppressWarnings("ArrayRecordComponent") // read only
record TestMatrix(Matrix matrix, float[] values) {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Elements of a size that keeps products of rows of size 1 at size 1. */
    static TestMatrix random(Precision precision, int rows, int columns, Random random) {
        int count = rows * columns;
        float[] values = new float[count];
        MemorySegment stored = MemorySegment.ofArray(new byte[(int) precision.valueBytes(count)]);
        MemorySegment scales = precision.isQuantized()
                ? MemorySegment.ofArray(new byte[(int) precision.scaleBytes(count)])
                : MemorySegment.NULL;
        float size = (float) (1 / Math.sqrt(columns));
        for (int block = 0; precision.isQuantized() && block < count / Precision.BLOCK; block++) {
            float scale = size * (0.5f + random.nextFloat()) / (precision == Precision.Q4 ? 4.5f : 74f);
            scales.set(FLOAT, block * 4L, scale);
        }
        for (int i = 0; i < count; i++) {
            values[i] = switch (precision) {
                case F32 -> {
                    float value = (float) random.nextGaussian() * size;
                    stored.set(FLOAT, i * 4L, value);
                    yield value;
                }
                case BF16 -> {
                    int bits = Float.floatToRawIntBits((float) random.nextGaussian() * size) >>> 16;
                    stored.set(SHORT, i * 2L, (short) bits);
                    yield Float.intBitsToFloat(bits << 16);
                }
                case I8 -> {
                    byte value = (byte) (random.nextInt(256) - 128);
                    stored.set(ValueLayout.JAVA_BYTE, i, value);
                    yield value * scales.get(FLOAT, i / Precision.BLOCK * 4L);
                }
                case Q4 -> {
                    int nibble = random.nextInt(16);
                    int inBlock = i % Precision.BLOCK;
                    int at = i / Precision.BLOCK * 16 + inBlock % 16;
                    int old = stored.get(ValueLayout.JAVA_BYTE, at);
                    stored.set(ValueLayout.JAVA_BYTE, at, (byte) (old | nibble << (inBlock < 16 ? 0 : 4)));
                    yield (nibble - 8) * scales.get(FLOAT, i / Precision.BLOCK * 4L);
                }
            };
        }
        return new TestMatrix(new Matrix(precision, rows, columns, stored, scales), values);
    }

    Projection projection(float[] bias) {
        return new Projection(List.of(matrix), bias);
    }

    /** y = W x in double precision. */
    double[] times(double[] x) {
        double[] y = new double[matrix.rows()];
        for (int row = 0; row < y.length; row++) {
            for (int column = 0; column < matrix.columns(); column++) {
                y[row] += (double) values[row * matrix.columns() + column] * x[column];
            }
        }
        return y;
    }

    static float[] vector(Random random, int length, float mean) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = mean + (float) random.nextGaussian() * 0.3f;
        }
        return values;
    }
}
