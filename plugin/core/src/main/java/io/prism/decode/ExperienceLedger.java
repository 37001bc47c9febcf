package io.prism.decode;

/**
 * The experience that a decoder's requests leave to those after them, so that a short request does not find out anew, at
 * its own cost, that drafting does not pay. Greedy and sampled requests are kept apart: sampled text is harder to guess.
 *
 * <p>Thread-safe.
 */
final class ExperienceLedger {
    private Experience greedy = Experience.NONE;
    private Experience sampled = Experience.NONE;

    /** What a request begins with. Credit goes to the first who asks, lest requests at the same time spend it twice. */
    synchronized Experience borrow(boolean isGreedy) {
        Experience lent = isGreedy ? greedy : sampled;
        keep(isGreedy, lent.withoutCredit());
        return lent;
    }

    /** What a request ends with. */
    synchronized void give(boolean isGreedy, Experience experience) {
        keep(isGreedy, experience);
    }

    private void keep(boolean isGreedy, Experience experience) {
        if (isGreedy) {
            greedy = experience;
        } else {
            sampled = experience;
        }
    }
}
