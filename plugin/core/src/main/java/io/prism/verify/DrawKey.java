package io.prism.verify;

/**
 * Keys of draws, which depend only on a seed and a position in the sequence: the SplitMix64 generator (Steele, Lea,
 * Flood 2014) entered at an arbitrary place of its stream, as a counter-based generator.
 */
final class DrawKey {
    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

    private DrawKey() {}

    /** 64 random bits. */
    static long of(long seed, long position) {
        return mix(mix(seed) + GOLDEN_GAMMA * (position + 1));
    }

    private static long mix(long z) {
        long x = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        x = (x ^ (x >>> 27)) * 0x94D049BB133111EBL;
        return x ^ (x >>> 31);
    }
}
