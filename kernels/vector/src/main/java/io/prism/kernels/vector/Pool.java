package io.prism.kernels.vector;

import java.util.ArrayDeque;
import java.util.function.Supplier;

/**
 * Working memory that calls take and give back: there comes to be as much of it as calls were ever under way at once, however
 * many threads made them.
 *
 * <p>Thread-safe.
 */
final class Pool<T> {
    private final Supplier<T> maker;
    private final ArrayDeque<T> idle = new ArrayDeque<>();

    Pool(Supplier<T> maker) {
        this.maker = maker;
    }

    /** What was given back last, or a new one. */
    T take() {
        synchronized (idle) {
            T one = idle.pollFirst();
            if (one != null) {
                return one;
            }
        }
        return maker.get();
    }

    void give(T one) {
        synchronized (idle) {
            idle.addFirst(one);
        }
    }
}
