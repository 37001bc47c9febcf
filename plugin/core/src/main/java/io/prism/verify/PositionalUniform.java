package io.prism.verify;

/**
 * Uniform numbers that depend only on a seed and a position in the sequence: the SplitMix64 generator (Steele, Lea,
 * Flood 2014) entered at an arbitrary place of its stream, as a counter-based generator.
 */
final class PositionalUniform {
    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

    private PositionalUniform() {}

    /** A number in [0, 1) with 53 random bits. */
    static double of(long seed, long position) {
        long state = mix(seed) + GOLDEN_GAMMA * (position + 1);
        return (mix(state) >>> 11) * 0x1p-53;
    }

    private static long mix(long z) {
        long x = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        x = (x ^ (x >>> 27)) * 0x94D049BB133111EBL;
        return x ^ (x >>> 31);
    }
}
