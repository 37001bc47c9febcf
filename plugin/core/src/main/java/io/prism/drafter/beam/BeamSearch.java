package io.prism.drafter.beam;

import io.prism.kernels.Kernels;
import io.prism.spi.PrismException;
import io.prism.tree.DraftBudget;
import io.prism.tree.TokenTree;
import java.util.Arrays;

/**
 * Grows a token tree as EAGLE-2 does: each level runs the best k candidates of the level before in one batch and takes
 * the top k children of each; the tree is made of the best N candidates of all levels. "Best" is by cumulative
 * log-probability, which never rises from parent to child, so that the best N are closed under parents.
 *
 * <p>Candidates that can't be among the ancestors of the best N any more are not run: N better ones are known already.
 * The tree is the same, at less cost.
 *
 * <p>Reusable; not thread-safe.
 */
public final class BeamSearch {
    private static final int NO_PARENT = -1;

    private final Kernels kernels;
    private int[] tokens = new int[64];
    private int[] parents = new int[64];
    private float[] logProbabilities = new float[64];
    private float[] scores = new float[64];
    private int[] treeNodes = new int[64];
    private int size;

    private int[] beam = new int[16];
    private int[] topIndices = new int[16];
    private float[] topValues = new float[16];

    /** The best N scores so far, falling. */
    private float[] best = new float[64];

    private int bestCount;

    public BeamSearch(Kernels kernels) {
        this.kernels = kernels;
    }

    /** The target's id of a candidate. */
    public int token(int candidate) {
        return tokens[candidate];
    }

    /** Parent of a candidate; -1 if that is the root. */
    public int parent(int candidate) {
        return parents[candidate];
    }

    /**
     * Adds to a tree that holds only its root.
     *
     * @param mostSteps the greatest depth for which the model has room, at least 1
     * @throws PrismException if the model gives NaN
     */
    public void grow(DraftModel model, TokenTree tree, DraftBudget budget, int mostSteps) {
        int steps = Math.min(budget.steps(), mostSteps);
        int width = Math.min(budget.topK(), model.draftVocabularySize());
        reserve(width, budget.nodes());
        size = 0;
        bestCount = 0;
        model.begin(tree.token(0));
        addChildren(model, 0, NO_PARENT, width, budget.nodes());
        int levelStart = 0;
        for (int step = 1; step < steps; step++) {
            int count = chooseBeam(levelStart, Math.min(width, model.remainingRows()), budget.nodes());
            if (count == 0) {
                break;
            }
            levelStart = size;
            model.step(step, this, beam, count);
            for (int row = 0; row < count; row++) {
                addChildren(model, row, beam[row], width, budget.nodes());
            }
        }
        build(tree, budget.nodes());
    }

    private void addChildren(DraftModel model, int row, int parent, int width, int nodes) {
        int vocabulary = model.draftVocabularySize();
        float[] logits = model.logits();
        float total = kernels.logSumExp(logits, row * vocabulary, vocabulary, 1);
        if (Float.isNaN(total)) {
            throw new PrismException("The draft model gives NaN; its weights don't fit this target");
        }
        kernels.topK(logits, row * vocabulary, vocabulary, width, topIndices, topValues);
        for (int i = 0; i < width; i++) {
            float logProbability = Math.min(0, topValues[i] - total);
            if (Float.isFinite(logProbability)) {
                add(model.targetToken(topIndices[i]), parent, logProbability, nodes);
            }
        }
    }

    private void add(int token, int parent, float logProbability, int nodes) {
        if (size == tokens.length) {
            tokens = Arrays.copyOf(tokens, 2 * size);
            parents = Arrays.copyOf(parents, 2 * size);
            logProbabilities = Arrays.copyOf(logProbabilities, 2 * size);
            scores = Arrays.copyOf(scores, 2 * size);
            treeNodes = Arrays.copyOf(treeNodes, 2 * size);
        }
        float score = logProbability + (parent == NO_PARENT ? 0 : scores[parent]);
        tokens[size] = token;
        parents[size] = parent;
        logProbabilities[size] = logProbability;
        scores[size] = score;
        size++;
        int at = bestCount;
        while (at > 0 && score > best[at - 1]) {
            at--;
        }
        if (at < nodes) {
            System.arraycopy(best, at, best, at + 1, Math.min(bestCount, nodes - 1) - at);
            best[at] = score;
            bestCount = Math.min(bestCount + 1, nodes);
        }
    }

    /**
     * Chooses the best candidates of the last level whose children may still be among the best N: a child scores at most
     * as much as its parent and, among equals, comes after all that are known.
     */
    private int chooseBeam(int levelStart, int width, int nodes) {
        int count = 0;
        for (int candidate = levelStart; candidate < size; candidate++) {
            if (bestCount == nodes && scores[candidate] <= best[nodes - 1]) {
                continue;
            }
            int at = count;
            while (at > 0 && scores[candidate] > scores[beam[at - 1]]) {
                at--;
            }
            if (at < width) {
                System.arraycopy(beam, at, beam, at + 1, Math.min(count, width - 1) - at);
                beam[at] = candidate;
                count = Math.min(count + 1, width);
            }
        }
        return count;
    }

    /** Takes the best N, earlier ones first among equals, in the order in which they came: parents before children. */
    private void build(TokenTree tree, int nodes) {
        float least = bestCount == 0 ? 0 : best[bestCount - 1];
        int better = 0;
        while (better < bestCount && best[better] > least) {
            better++;
        }
        int equals = Math.min(nodes, bestCount) - better;
        for (int candidate = 0; candidate < size; candidate++) {
            if (scores[candidate] < least || (scores[candidate] == least && equals-- <= 0)) {
                continue;
            }
            int parent = parents[candidate] == NO_PARENT ? 0 : treeNodes[parents[candidate]];
            treeNodes[candidate] = tree.add(parent, tokens[candidate], logProbabilities[candidate]);
        }
    }

    private void reserve(int width, int nodes) {
        if (beam.length < width) {
            beam = new int[width];
            topIndices = new int[width];
            topValues = new float[width];
        }
        if (best.length < nodes + 1) {
            best = new float[nodes + 1];
        }
    }
}
