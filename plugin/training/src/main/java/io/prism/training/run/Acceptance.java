package io.prism.training.run;

import java.util.List;

/**
 * How often the drafter's most probable token is the target's, along chains drafted from every position of the
 * validation answers. Where answers are the target's own at temperature 0 this is what greedy chains will accept.
 *
 * @param marginal share of chains accepted up to and including each step
 */
public record Acceptance(List<Double> marginal) {
    public Acceptance {
        marginal = List.copyOf(marginal);
    }

    /** Share of chains accepted at a step (from 1) among those accepted until then. */
    public double conditional(int step) {
        double before = step == 1 ? 1 : marginal.get(step - 2);
        return before == 0 ? 0 : marginal.get(step - 1) / before;
    }

    /** Tokens per pass of a chain as long as these steps, the bonus token included. */
    public double chainLength() {
        return 1 + marginal.stream().mapToDouble(Double::doubleValue).sum();
    }
}
