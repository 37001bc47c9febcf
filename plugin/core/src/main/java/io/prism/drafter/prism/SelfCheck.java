package io.prism.drafter.prism;

import io.prism.kernels.Kernels;
import io.prism.spi.DraftSession;
import io.prism.spi.Drafter;
import io.prism.spi.PassOutput;
import io.prism.spi.TargetModel;
import io.prism.spi.TargetSession;
import io.prism.tree.DraftBudget;
import io.prism.tree.TokenTree;
import java.util.Locale;
import java.util.Optional;

/**
 * What a drafter proposed along a text that its target wrote after a few built-in tokens. Weights under wrong names, of
 * another target or never trained draft nothing that is right; that costs speed only, and is best said at load.
 *
 * @param rounds rounds drafted
 * @param matches rounds in which the first token of the draft was the target's
 * @param drafted tokens proposed
 * @param meanProbability mean of the probability the drafter gave its first token
 */
record SelfCheck(int rounds, int matches, int drafted, double meanProbability) {
    private static final int PROMPT = 8;
    private static final int ROUNDS = 16;
    private static final DraftBudget BUDGET = new DraftBudget(3, 2, 4);

    /** A drafter this much surer than a uniform one has at least learned something. */
    private static final double UNIFORM_FACTOR = 4;

    /**
     * Runs a target plainly and a drafter beside it.
     *
     * @param kernels to find the target's choice with
     * @throws io.prism.spi.PrismException if the drafter gives NaN
     */
    static SelfCheck run(Drafter drafter, TargetModel target, Kernels kernels) {
        int vocabulary = target.description().vocabularySize();
        int prompt = Math.min(PROMPT, target.description().contextLength() / 2);
        int[] tokens = new int[prompt];
        int[] rows = new int[prompt];
        for (int i = 0; i < prompt; i++) {
            tokens[i] = (int) ((2L * i + 1) * vocabulary / (2L * prompt));
            rows[i] = i;
        }
        int matches = 0;
        int drafted = 0;
        double probability = 0;
        int rounds = Math.min(ROUNDS, target.description().contextLength() - prompt - BUDGET.steps());
        TokenTree tree = new TokenTree(0);
        try (TargetSession session = target.openSession(drafter.hiddenStates());
                DraftSession drafts = drafter.openSession()) {
            PassOutput output = session.prefill(tokens, 0, prompt);
            drafts.accept(tokens, rows, prompt, output);
            int[] next = {kernels.argmax(output.logits(), output.logitsOffset(prompt - 1), vocabulary)};
            int[] first = {0};
            for (int round = 0; round < rounds; round++) {
                tree.reset(next[0]);
                drafts.propose(tree, BUDGET);
                output = session.prefill(next, 0, 1);
                drafts.accept(next, first, 1, output);
                next[0] = kernels.argmax(output.logits(), output.logitsOffset(0), vocabulary);
                drafted += tree.size() - 1;
                if (tree.size() > 1) {
                    probability += Math.exp(tree.logProbability(1));
                    matches += tree.token(1) == next[0] ? 1 : 0;
                }
            }
        }
        return new SelfCheck(rounds, matches, drafted, rounds == 0 ? 0 : probability / rounds);
    }

    /** What to warn of, if anything. */
    Optional<String> warning(int draftVocabulary) {
        if (rounds == 0) {
            return Optional.empty();
        }
        if (meanProbability < UNIFORM_FACTOR / draftVocabulary) {
            return Optional.of(String.format(
                    Locale.ROOT,
                    "its distribution is almost uniform (mean largest probability %.2g over %d tokens)",
                    meanProbability,
                    draftVocabulary));
        }
        if (matches == 0) {
            return Optional.of("none of its first tokens in " + rounds + " rounds was the target's");
        }
        return Optional.empty();
    }
}
