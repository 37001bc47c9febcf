package io.prism.kernels;

/**
 * Random numbers of the standard Gumbel distribution that depend only on a key and a token's id, so that any two who know the
 * key draw with the same noise. This is their definition; {@link Kernels#gumbelNoise} gives them up to rounding.
 *
 * <p>Key and id are hashed by rounds of shifts and multiplications (constants of Wellons' "lowbias32", 2018) to 62 bits, the fraction v
 * of an interval from 0 to 1; -log(1 - v) is exponentially distributed, and minus its logarithm as Gumbel's distribution asks.
 * Small v are what large noise comes from, and have their full precision down to 2^-63: tokens of any probability worth
 * naming are drawn as often as they should be.
 */
public final class GumbelNoise {
    /** Spreads neighbouring ids. */
    public static final int ID_FACTOR = 0x9E3779B9;

    public static final int FIRST_SHIFT = 16;
    public static final int FIRST_FACTOR = 0x21F0AAAD;
    public static final int SECOND_SHIFT = 15;
    public static final int SECOND_FACTOR = 0xD35A2D97;
    public static final int THIRD_SHIFT = 15;

    private GumbelNoise() {}

    /** The noise of a token in the draw of a key. */
    public static double of(long key, int id) {
        int low = mix(id * ID_FACTOR + (int) key);
        int high = mix(low ^ (int) (key >>> 32));
        double fraction = ((high >>> 1) + ((low >>> 1) + 0.5) * 0x1p-31) * 0x1p-31;
        return -Math.log(-Math.log1p(-fraction));
    }

    private static int mix(int z) {
        int x = (z ^ (z >>> FIRST_SHIFT)) * FIRST_FACTOR;
        x = (x ^ (x >>> SECOND_SHIFT)) * SECOND_FACTOR;
        return x ^ (x >>> THIRD_SHIFT);
    }
}
