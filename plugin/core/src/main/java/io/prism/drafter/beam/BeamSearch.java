package io.prism.drafter.beam;

import io.prism.kernels.Kernels;
import io.prism.spi.PrismException;
import io.prism.spi.TokenDraw;
import io.prism.tree.DraftBudget;
import io.prism.tree.TokenTree;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Grows a token tree as EAGLE-2 does: each level runs the best k candidates of the level before in one batch and takes
 * the top k children of each; the tree is made of the best N candidates of all levels. "Best" is by cumulative
 * log-probability, which never rises from parent to child, so that the best N are closed under parents. Where the target draws
 * its tokens, a probability is that of being drawn, given what is known of the draw.
 *
 * <p>Candidates that can't be among the ancestors of the best N any more are not run: N better ones are known already.
 * The tree is the same, at less cost.
 *
 * <p>There is one pass of the model for each level. It is run by the caller, after {@link #begin} and after each {@link
 * #advance} that asks for one more, so that searches of several sessions can share their passes.
 *
 * <p>Reusable; not thread-safe.
 */
public final class BeamSearch {
    /**
     * What logits are multiplied with where the target takes its most probable token. Drafters learn from soft targets, and are right
     * about their first choices more often than they say: with 1, trees are too wide and too flat. In trees of 6,4,16 for six
     * benchmarks 1.3 and 1.6 brought 8% (of 1, 1.3, 1.6, 2 and 2.5), in trees sized by their worth 4%; at temperature 0.7 4%, at 1
     * nothing in the former and -3% in the latter.
     */
    private static final float GREEDY_SHARPNESS = 1.5f;

    private static final int NO_PARENT = -1;

    private final Kernels kernels;
    private int[] tokens = new int[64];
    private int[] parents = new int[64];
    private float[] logProbabilities = new float[64];
    private float[] scores = new float[64];
    private int[] treeNodes = new int[64];
    private int size;

    private int steps;
    private int width;
    private int nodes;
    private float least;
    private int step;
    private @Nullable TokenDraw draw;
    private float sharpness;
    private int rootPosition;

    /** First candidate of the last level. */
    private int levelStart;

    private int beamCount;
    private int[] beam = new int[16];
    private int[] topIndices = new int[16];
    private float[] topValues = new float[16];

    /** The best N scores so far, falling. */
    private float[] best = new float[64];

    private int bestCount;

    public BeamSearch(Kernels kernels) {
        this.kernels = kernels;
    }

    /**
     * What a drafter's logits, noise included, are multiplied with before they are taken for logarithms of probabilities.
     *
     * @param draw how the target draws; null if it takes the most probable token
     */
    public static float sharpness(@Nullable TokenDraw draw) {
        float drawn = draw == null ? 0 : Math.min(1, draw.temperature());
        return GREEDY_SHARPNESS + (1 - GREEDY_SHARPNESS) * drawn;
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
     * Begins to grow a tree that holds only its root: has the model prepare its first pass.
     *
     * @param mostSteps the greatest depth for which the model has room, at least 1
     * @param drawing how the target draws; null if it takes the most probable token
     * @param position index in the sequence of the root, from 0
     */
    public void begin(
            DraftModel model,
            TokenTree tree,
            DraftBudget budget,
            int mostSteps,
            @Nullable TokenDraw drawing,
            int position) {
        draw = drawing;
        sharpness = sharpness(drawing);
        rootPosition = position;
        steps = Math.min(budget.steps(), mostSteps);
        width = Math.min(budget.topK(), model.draftVocabularySize());
        nodes = budget.nodes();
        least = budget.leastLogProbability();
        reserve(width, nodes);
        size = 0;
        bestCount = 0;
        step = 0;
        levelStart = 0;
        model.prepareFirst(tree.token(0));
    }

    /**
     * Takes the logits of the model's pass, which has been run meanwhile.
     *
     * @return whether the model has prepared one more pass; if not, the tree is complete
     * @throws PrismException if the model gave NaN
     */
    public boolean advance(DraftModel model, TokenTree tree) {
        if (step == 0) {
            addChildren(model, 0, NO_PARENT);
        } else {
            levelStart = size;
            for (int row = 0; row < beamCount; row++) {
                addChildren(model, row, beam[row]);
            }
        }
        step++;
        beamCount = step < steps ? chooseBeam(Math.min(width, model.remainingRows())) : 0;
        if (beamCount > 0) {
            model.prepareStep(step, this, beam, beamCount);
            return true;
        }
        build(tree);
        return false;
    }

    private void addChildren(DraftModel model, int row, int parent) {
        int vocabulary = model.draftVocabularySize();
        float[] logits = model.logits();
        int offset = model.logitsOffset(row);
        int[] targetIds = model.targetIds();
        TokenDraw drawing = draw;
        if (drawing != null) {
            drawing.perturb(logits, offset, vocabulary, targetIds, rootPosition + 1 + step);
        }
        float total = kernels.logSumExp(logits, offset, vocabulary, 1 / sharpness);
        if (Float.isNaN(total)) {
            throw new PrismException("The draft model gives NaN; its weights don't fit this target");
        }
        kernels.topK(logits, offset, vocabulary, width, topIndices, topValues);
        for (int i = 0; i < width; i++) {
            float logProbability = Math.min(0, sharpness * topValues[i] - total);
            if (Float.isFinite(logProbability)) {
                int token = topIndices[i];
                add(targetIds == null ? token : targetIds[token], parent, logProbability);
            }
        }
    }

    private void add(int token, int parent, float logProbability) {
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
     * as much as its parent and, among equals, comes after all that are known. Those that the budget does not want followed
     * are none of them.
     */
    private int chooseBeam(int most) {
        int count = 0;
        for (int candidate = levelStart; candidate < size; candidate++) {
            if (scores[candidate] < least || (bestCount == nodes && scores[candidate] <= best[nodes - 1])) {
                continue;
            }
            int at = count;
            while (at > 0 && scores[candidate] > scores[beam[at - 1]]) {
                at--;
            }
            if (at < most) {
                System.arraycopy(beam, at, beam, at + 1, Math.min(count, most - 1) - at);
                beam[at] = candidate;
                count = Math.min(count + 1, most);
            }
        }
        return count;
    }

    /** Takes the best N, earlier ones first among equals, in the order in which they came: parents before children. */
    private void build(TokenTree tree) {
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

    private void reserve(int beamWidth, int mostNodes) {
        if (beam.length < beamWidth) {
            beam = new int[beamWidth];
            topIndices = new int[beamWidth];
            topValues = new float[beamWidth];
        }
        if (best.length < mostNodes + 1) {
            best = new float[mostNodes + 1];
        }
    }
}
