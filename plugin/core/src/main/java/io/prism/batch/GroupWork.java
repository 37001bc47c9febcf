package io.prism.batch;

import java.util.List;

/**
 * What a {@link Batcher} does with tasks. Called by whichever thread leads a group.
 *
 * @param <T> a task
 */
public interface GroupWork<T> {

    /**
     * Chooses the next group. Quick, and without side effects on others' tasks: it runs under the batcher's lock.
     *
     * @param waiting tasks in the order in which they came, at least one
     * @return some of them, the first included
     */
    List<T> choose(List<T> waiting);

    /**
     * Does the tasks of a group. Whatever goes wrong with one belongs into that task: an exception from here is a fault
     * of the work itself and fails the whole group.
     */
    void run(List<T> group);

    /**
     * How long a group may wait for members that are expected to come.
     *
     * @param members how many of them take part at present
     */
    long patienceNanos(int members);
}
