package io.prism.decode;

import io.prism.tree.TokenTree;
import io.prism.verify.Verdict;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;

/** Counts and times of a request as it goes. */
final class StatisticsCollector {
    private final Map<FallbackCause, Integer> fallbacks = new EnumMap<>(FallbackCause.class);
    private final int promptTokens;
    private int[] draftedByStep = new int[0];
    private int[] attemptedByStep = new int[0];
    private int[] acceptedByStep = new int[0];
    private int rounds;
    private int draftRounds;
    private int passTokens;
    private int drafted;
    private int accepted;
    private boolean endTokenSampled;
    private long prefillNanos;
    private long draftNanos;
    private long verifyNanos;
    private long waitNanos;
    private long otherNanos;
    private double plainNanos;

    StatisticsCollector(int promptTokens) {
        this.promptTokens = promptTokens;
    }

    void prefill(long nanos) {
        prefillNanos += nanos;
    }

    /**
     * A round is over.
     *
     * @param used accepted nodes that were used, root included: fewer than the verdict's after a stop
     * @param tokens tokens that came of it, an end token included
     */
    void round(TokenTree tree, Verdict verdict, int used, int tokens, RoundTimes times) {
        rounds++;
        passTokens += tokens;
        draftNanos += times.draft();
        verifyNanos += times.verify();
        waitNanos += times.waiting();
        otherNanos += times.other();
        plainNanos += times.plain();
        if (tree.size() == 1) {
            return;
        }
        draftRounds++;
        drafted += tree.size() - 1;
        accepted += used - 1;
        int deepest = 0;
        for (int node = 1; node < tree.size(); node++) {
            deepest = Math.max(deepest, tree.depth(node));
        }
        reserveSteps(deepest);
        for (int step = 1; step <= deepest; step++) {
            draftedByStep[step - 1]++;
            if (step <= used && hasChild(tree, verdict.path()[step - 1])) {
                attemptedByStep[step - 1]++;
            }
            if (step < used) {
                acceptedByStep[step - 1]++;
            }
        }
    }

    void endToken() {
        endTokenSampled = true;
    }

    void fallback(FallbackCause cause) {
        fallbacks.merge(cause, 1, Integer::sum);
    }

    RequestStatistics finish(int generatedTokens) {
        return new RequestStatistics(
                promptTokens,
                generatedTokens,
                endTokenSampled,
                rounds,
                draftRounds,
                passTokens,
                drafted,
                accepted,
                draftedByStep,
                attemptedByStep,
                acceptedByStep,
                prefillNanos,
                draftNanos,
                verifyNanos,
                waitNanos,
                otherNanos,
                rounds == 0 ? 0 : plainNanos / rounds,
                Map.copyOf(fallbacks));
    }

    private void reserveSteps(int steps) {
        if (steps > draftedByStep.length) {
            draftedByStep = Arrays.copyOf(draftedByStep, steps);
            attemptedByStep = Arrays.copyOf(attemptedByStep, steps);
            acceptedByStep = Arrays.copyOf(acceptedByStep, steps);
        }
    }

    private static boolean hasChild(TokenTree tree, int parent) {
        for (int node = parent + 1; node < tree.size(); node++) {
            if (tree.parent(node) == parent) {
                return true;
            }
        }
        return false;
    }
}
