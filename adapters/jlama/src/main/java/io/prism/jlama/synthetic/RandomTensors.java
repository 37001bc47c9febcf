package io.prism.jlama.synthetic;

import io.prism.jlama.modelfile.WeightTensor;
import io.prism.kernels.Precision;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;

/**
 * Tensors of random numbers. Elements are drawn from a table of {@link #TABLE} normal numbers, so that gigabytes take
 * seconds.
 */
final class RandomTensors {
    private static final int TABLE = 1 << 16;

    private final Precision precision;
    private final float[] normal = new float[TABLE];
    private long state;

    /**
     * @param precision F32 or BF16
     * @param seed tensors of equal seeds, written in the same order, are equal
     */
    RandomTensors(Precision precision, long seed) {
        if (precision.isQuantized()) {
            throw new IllegalArgumentException("Random tensors are written as F32 or BF16, not " + precision);
        }
        this.precision = precision;
        Random random = new Random(seed);
        for (int i = 0; i < TABLE; i++) {
            normal[i] = (float) random.nextGaussian();
        }
        this.state = seed * 0x9E3779B97F4A7C15L + 1;
    }

    /** A tensor whose numbers are drawn as its rows are asked for. */
    WeightTensor of(TensorSpec spec) {
        return new RandomTensor(spec);
    }

    private int next() {
        long s = state;
        s ^= s << 13;
        s ^= s >>> 7;
        s ^= s << 17;
        state = s;
        return (int) (s >>> 48);
    }

    private final class RandomTensor implements WeightTensor {
        private final TensorSpec spec;

        RandomTensor(TensorSpec spec) {
            this.spec = spec;
        }

        @Override
        public String name() {
            return spec.name();
        }

        @Override
        public String type() {
            return precision.name();
        }

        @Override
        public List<Long> shape() {
            return spec.shape();
        }

        @Override
        public long rowCount() {
            return Math.max(spec.rows(), 1);
        }

        @Override
        public int rowBytes() {
            return Math.toIntExact(precision.valueBytes(spec.columns()));
        }

        @Override
        public void putRow(long row, ByteBuffer out) {
            for (int column = 0; column < spec.columns(); column++) {
                float value = spec.mean() + spec.deviation() * normal[next()];
                if (precision == Precision.F32) {
                    out.putFloat(value);
                } else {
                    out.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
                }
            }
        }
    }
}
