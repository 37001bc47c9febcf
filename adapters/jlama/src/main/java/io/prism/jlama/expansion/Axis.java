package io.prism.jlama.expansion;

import java.util.ArrayList;
import java.util.List;

/**
 * A dimension that has grown: where its elements come from. What comes from nowhere is zero.
 *
 * @param size elements now
 * @param runs in the order of their targets, which don't overlap; two runs may have the same source
 */
record Axis(int size, List<Run> runs) {

    /** Consecutive elements that stay together. */
    record Run(int source, int target, int length) {}

    Axis {
        runs = List.copyOf(runs);
    }

    /** Nothing but zeros. */
    static Axis zero(int size) {
        return new Axis(size, List.of());
    }

    /** Zeros at the end. */
    static Axis padded(int from, int to) {
        return new Axis(to, List.of(new Run(0, 0, from)));
    }

    /**
     * Heads of one size at new places.
     *
     * @param sources for each head the one it was, or -1 for a head of zeros
     */
    static Axis heads(int headSize, int... sources) {
        List<Run> runs = new ArrayList<>();
        for (int head = 0; head < sources.length; head++) {
            if (sources[head] >= 0) {
                runs.add(new Run(sources[head] * headSize, head * headSize, headSize));
            }
        }
        return new Axis(sources.length * headSize, runs);
    }

    /** Several of this side by side, from several of its source side by side. */
    Axis times(int count, int sourceSize) {
        List<Run> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            for (Run run : runs) {
                all.add(new Run(run.source + i * sourceSize, run.target + i * size, run.length));
            }
        }
        return new Axis(count * size, all);
    }

    /** Where an element comes from; -1 if from nowhere. */
    int sourceOf(long target) {
        for (Run run : runs) {
            if (target >= run.target && target < run.target + run.length) {
                return Math.toIntExact(run.source + target - run.target);
            }
        }
        return -1;
    }
}
