package io.prism.tree;

/**
 * How much a drafter should propose in a round.
 *
 * @param steps the greatest depth, at least 1
 * @param topK the most children per node, and the beam width where a drafter uses one
 * @param nodes the most nodes besides the root; a drafter may propose fewer
 * @param leastLogProbability paths that the drafter itself holds less probable than this need not be followed further: a
 *     step that only such paths would go is not worth its time. Minus infinity for none
 */
public record DraftBudget(int steps, int topK, int nodes, float leastLogProbability) {
    /** A budget that says nothing of probabilities. */
    public DraftBudget(int steps, int topK, int nodes) {
        this(steps, topK, nodes, Float.NEGATIVE_INFINITY);
    }

    public DraftBudget {
        if (steps < 1 || topK < 1 || nodes < 1) {
            throw new IllegalArgumentException(
                    "Draft budget of " + steps + " steps, top-" + topK + ", " + nodes + " nodes: all must be positive");
        }
    }
}
