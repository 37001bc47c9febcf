package io.prism.training.network;

import io.prism.kernels.Activation;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.RotaryTable;
import io.prism.spi.TargetArchitecture;
import java.util.Optional;
import java.util.SplittableRandom;

/** A target small enough to check by hand. */
public final class TinyTarget {
    public static final int HIDDEN = 16;
    public static final int VOCABULARY = 23;
    public static final int POSITIONS = 64;
    private static final int HEAD_SIZE = 8;

    private TinyTarget() {}

    public static TargetArchitecture architecture() {
        int half = HEAD_SIZE / 2;
        float[] cosines = new float[POSITIONS * half];
        float[] sines = new float[POSITIONS * half];
        for (int i = 0; i < cosines.length; i++) {
            double angle = i / half * Math.pow(10000, -(double) (i % half) / half);
            cosines[i] = (float) Math.cos(angle);
            sines[i] = (float) Math.sin(angle);
        }
        return new TargetArchitecture(
                HIDDEN,
                24,
                new AttentionShape(4, 2, HEAD_SIZE, (float) (1 / Math.sqrt(HEAD_SIZE)), 0),
                new RotaryTable(cosines, sines, HEAD_SIZE, POSITIONS),
                Activation.SILU,
                1e-5f);
    }

    public static FrozenTarget frozen(long seed) {
        return FrozenTarget.of(
                architecture(), random(seed, VOCABULARY * HIDDEN, 1), random(seed + 1, VOCABULARY * HIDDEN, 1));
    }

    public static float[] random(long seed, int count, double bound) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextDouble(-bound, bound);
        }
        return values;
    }

    /** Sequences of random tokens and states, the first ones shorter. */
    public static Batch batch(long seed, int sequences, int positions) {
        SplittableRandom random = new SplittableRandom(seed);
        long[] tokens =
                random.longs((long) sequences * positions, 0, VOCABULARY).toArray();
        int[] lengths = new int[sequences];
        for (int i = 0; i < sequences; i++) {
            lengths[i] = positions - (sequences - 1 - i);
        }
        int elements = sequences * positions * HIDDEN;
        return new Batch(
                sequences,
                positions,
                lengths,
                new int[sequences],
                LibTorch.tensor(tokens, tokens.length),
                LibTorch.tensor(random(seed + 1, elements, 1.5), sequences, positions, HIDDEN),
                Optional.of(LibTorch.tensor(random(seed + 2, 3 * elements, 1.5), sequences, positions, 3 * HIDDEN)),
                LibTorch.tensor(random(seed + 3, elements, 1.5), (long) sequences * positions, HIDDEN));
    }
}
