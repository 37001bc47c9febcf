package io.prism.decode;

/**
 * The first proposals of a drafter of which nothing is known. They are made in any case, as long as they don't cost too
 * much together: what they are worth is found out only by making some, and the very first are those of cold code, so that
 * one of them says little of the price.
 *
 * <p>Shared by the sessions of a decoder; thread-safe.
 */
final class Trial {
    /** Proposals that tell what to think of a drafter. */
    private static final int PROPOSALS = 16;

    /** Proposals before there is a price to go by. */
    private static final int FIRST = 3;

    /** Plain passes that all of them together may take. */
    private static final double MOST_PASSES = 3;

    private int proposals;
    private double nanos;

    /** Whether a proposal is to be made in any case. */
    synchronized boolean goesOn(double plainNanos) {
        return isEarly() && nanos < MOST_PASSES * plainNanos;
    }

    /** Whether proposals so far are too few to say what one costs when nothing disturbs it. */
    synchronized boolean isEarly() {
        return proposals < PROPOSALS;
    }

    /** Whether proposals are so few that the next had better be a small one. */
    synchronized boolean isFirst() {
        return proposals < FIRST;
    }

    /**
     * A proposal was made.
     *
     * @param proposingNanos its time, or a plain pass if it took longer, so that those of cold code don't end the trial
     */
    synchronized void proposed(double proposingNanos) {
        proposals++;
        nanos += proposingNanos;
    }
}
