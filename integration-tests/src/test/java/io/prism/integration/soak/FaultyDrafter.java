package io.prism.integration.soak;

import io.prism.spi.DraftSession;
import io.prism.spi.Drafter;
import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import io.prism.tree.DraftBudget;
import io.prism.tree.TokenTree;
import java.util.concurrent.ThreadLocalRandom;

/** A drafter that throws or proposes nonsense now and then. */
final class FaultyDrafter implements Drafter {
    private static final int CALLS_PER_FAULT = 100;

    private final Drafter real;

    FaultyDrafter(Drafter real) {
        this.real = real;
    }

    @Override
    public String name() {
        return real.name();
    }

    @Override
    public HiddenStateRequest hiddenStates() {
        return real.hiddenStates();
    }

    @Override
    public boolean returnsPromptly() {
        return real.returnsPromptly();
    }

    @Override
    public DraftSession openSession() {
        DraftSession session = real.openSession();
        return new DraftSession() {
            @Override
            public void accept(int[] tokens, int[] rows, int count, PassOutput output) {
                session.accept(tokens, rows, count, output);
            }

            @Override
            public void truncate(int length) {
                session.truncate(length);
            }

            @Override
            public void propose(TokenTree tree, DraftBudget budget) {
                switch (ThreadLocalRandom.current().nextInt(CALLS_PER_FAULT)) {
                    case 0 -> throw new IllegalStateException("injected into the drafter");
                    case 1 -> tree.add(0, Integer.MAX_VALUE, -1);
                    case 2 -> throw new StackOverflowError();
                    default -> session.propose(tree, budget);
                }
            }

            @Override
            public void close() {
                session.close();
            }
        };
    }

    @Override
    public void close() {
        real.close();
    }
}
