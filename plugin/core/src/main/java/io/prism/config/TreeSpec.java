package io.prism.config;

import io.prism.tree.DraftBudget;
import java.util.Optional;

/**
 * How much to draft in a round.
 *
 * @param fixed the budget of every round; empty if each round is sized by what pays
 */
public record TreeSpec(Optional<DraftBudget> fixed) {
    public static final TreeSpec AUTO = new TreeSpec(Optional.empty());

    public static TreeSpec of(int steps, int topK, int nodes) {
        return new TreeSpec(Optional.of(new DraftBudget(steps, topK, nodes)));
    }

    public boolean isAuto() {
        return fixed.isEmpty();
    }

    /** As in configuration: {@code auto} or {@code steps,topk,nodes}. */
    @Override
    public String toString() {
        return fixed.map(budget -> budget.steps() + "," + budget.topK() + "," + budget.nodes())
                .orElse("auto");
    }
}
