package io.prism.verify;

import io.prism.spi.ExpectedOutput;
import io.prism.spi.PassOutput;
import io.prism.spi.PrismException;
import io.prism.tree.TokenTree;

/**
 * Decides which tokens of a verified tree are the target's own. Not thread-safe; one per session.
 *
 * <p>Both verifiers choose the target's token at each node they visit as plain decoding would have chosen it there, and
 * descend to the child that holds it. So output does not depend on the drafter in any way; only the number of passes
 * does.
 */
public abstract sealed class Verifier permits GreedyVerifier, SamplingVerifier {
    private int[] path = new int[16];

    /** What the passes it is shown have to give. */
    public abstract ExpectedOutput expected();

    /**
     * The target's token after a row.
     *
     * @param position index in the sequence of the token to choose, from 0
     * @throws PrismException if the row's logits give no distribution (NaN, or nothing finite)
     */
    public abstract int choose(PassOutput output, int row, int position);

    /**
     * Walks down from the root.
     *
     * @param output the pass that verified {@code tree}, node i in row i
     * @param rootPosition index of the root's token in the sequence, from 0
     * @throws PrismException if a visited row's logits give no distribution
     */
    public final Verdict verify(TokenTree tree, PassOutput output, int rootPosition) {
        if (path.length < tree.size()) {
            path = new int[tree.size()];
        }
        int node = 0;
        for (int depth = 0; ; depth++) {
            path[depth] = node;
            int token = choose(output, node, rootPosition + depth + 1);
            int child = tree.child(node, token);
            if (child < 0) {
                return new Verdict(path, depth + 1, token);
            }
            node = child;
        }
    }

    static PrismException noDistribution(int position, String found) {
        return new PrismException("The target's logits for position " + position + " are " + found
                + ": expected finite numbers. The model's weights or its numeric format are damaged.");
    }
}
