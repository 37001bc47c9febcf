package io.prism.tree;

/**
 * How much more of a drafter's guesses one text takes than texts do on average: added to the log-odds of every chance. Learned
 * from the text's own drafts, by gradient steps of logistic regression with the odds of {@link AcceptanceModel} as offset.
 *
 * <p>A text that goes on as it has so far is drafted right by a drafter that is not sure of it, which says nothing of the next
 * text. Nothing is taken from the odds: a few misses at the beginning would end the drafts that could show better. One per session;
 * not thread-safe.
 */
public final class TextBias {
    /** Size of a gradient step. */
    private static final double STEP = 0.3;

    /** The most that is added to log-odds: a chance of 0.5 becomes 0.95. */
    private static final double MOST = 3;

    private double shift;

    /** Begins with another text. */
    public void forget() {
        shift = 0;
    }

    /** A first choice had this chance, the bias included. */
    void observe(double chance, boolean accepted) {
        shift = Math.clamp(shift + STEP * ((accepted ? 1 : 0) - chance), 0, MOST);
    }

    /** The chance in this text of what has a chance in texts on average. */
    double of(double chance) {
        return chance / (chance + (1 - chance) * Math.exp(-shift));
    }

    /** The logarithmic probability that is worth as much in this text as one in texts on average; undoes {@link #of}. */
    public float undo(float logProbability) {
        double probability = Math.exp(logProbability);
        return (float) Math.log(probability / (probability + (1 - probability) * Math.exp(shift)));
    }
}
