package io.prism.testing;

import io.prism.testing.FakeDrafter.KnowingProposer;
import io.prism.testing.FakeDrafter.Proposer;
import io.prism.tree.TokenTree;
import java.util.List;
import java.util.Random;

/** Things to propose. */
public final class Proposers {
    private Proposers() {}

    /** Random trees of random size. */
    public static Proposer random(int vocabulary, long seed) {
        Random random = new Random(seed);
        return (text, tree, budget) -> {
            synchronized (random) {
                int nodes = random.nextInt(budget.nodes() + 1);
                for (int i = 0; i < nodes; i++) {
                    int parent = random.nextInt(tree.size());
                    int token = random.nextInt(vocabulary);
                    if (tree.depth(parent) < budget.steps() && tree.child(parent, token) < 0) {
                        tree.add(parent, token, -random.nextFloat());
                    }
                }
            }
        };
    }

    /** The target's own greedy continuation, with the second best token as a sibling at every step. */
    public static Proposer oracle(FakeTarget target) {
        return (text, tree, budget) -> {
            int vocabulary = target.description().vocabularySize();
            float[] logits = new float[vocabulary];
            int[] context = context(text, tree.token(0), budget.steps());
            int node = 0;
            for (int step = 1; step <= budget.steps() && tree.size() <= budget.nodes(); step++) {
                target.logits(context, text.size() + step, logits, 0);
                int best = best(logits, -1);
                int parent = node;
                node = tree.add(parent, best, -0.05f);
                if (budget.topK() > 1 && tree.size() <= budget.nodes()) {
                    tree.add(parent, best(logits, best), -3f);
                }
                context[text.size() + step] = best;
            }
        };
    }

    /** The two tokens that a model holds most likely to be drawn after each path, down to the depth asked for. */
    public static KnowingProposer guesses(FakeTarget model) {
        return (text, tree, budget, draw) -> {
            float[] logits = new float[model.description().vocabularySize()];
            for (int node = 0; node < tree.size() && tree.size() + 1 <= budget.nodes(); node++) {
                if (tree.depth(node) < budget.steps()) {
                    int depth = tree.depth(node);
                    int[] context = context(text, tree.token(0), depth);
                    for (int at = node; at > 0; at = tree.parent(at)) {
                        context[text.size() + tree.depth(at)] = tree.token(at);
                    }
                    model.logits(context, text.size() + 1 + depth, logits, 0);
                    if (draw != null) {
                        draw.perturb(logits, 0, logits.length, null, text.size() + 1 + depth);
                    }
                    int best = best(logits, -1);
                    tree.add(node, best, -0.5f);
                    tree.add(node, best(logits, best), -1.5f);
                }
            }
        };
    }

    private static int[] context(List<Integer> text, int root, int more) {
        int[] context = new int[text.size() + 1 + more];
        for (int i = 0; i < text.size(); i++) {
            context[i] = text.get(i);
        }
        context[text.size()] = root;
        return context;
    }

    private static int best(float[] logits, int except) {
        int best = -1;
        for (int token = 0; token < logits.length; token++) {
            if (token != except && (best < 0 || logits[token] > logits[best])) {
                best = token;
            }
        }
        return best;
    }

    /** Adds all tokens below {@code width} after every node, level by level, while the budget lasts. */
    public static void fullTree(TokenTree tree, int width, int steps, int nodes) {
        for (int node = 0; node < tree.size() && tree.depth(node) < steps; node++) {
            for (int token = 0; token < width && tree.size() <= nodes; token++) {
                tree.add(node, token, (float) -Math.log(width));
            }
        }
    }
}
