package io.prism.decode;

/**
 * Times of a round in nanoseconds, of one of the sessions that shared it.
 *
 * @param draft proposing, and telling the drafter what was accepted
 * @param verify the pass
 * @param waiting for others to come or for their pass to end
 * @param other everything else, but for the listener's own time
 * @param plain what a plain pass of the same sessions would have taken; 0 if unknown
 */
record RoundTimes(long draft, long verify, long waiting, long other, double plain) {}
