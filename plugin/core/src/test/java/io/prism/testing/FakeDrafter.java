package io.prism.testing;

import io.prism.spi.DraftRequest;
import io.prism.spi.DraftSession;
import io.prism.spi.Drafter;
import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import io.prism.spi.TokenDraw;
import io.prism.tree.DraftBudget;
import io.prism.tree.TokenTree;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A drafter that checks what it is told, and proposes what a function says. */
public final class FakeDrafter implements Drafter {

    /** What a session proposes. */
    @FunctionalInterface
    public interface Proposer {
        /** @param text committed tokens */
        void propose(List<Integer> text, TokenTree tree, DraftBudget budget);
    }

    /** What a session that knows the target's draws proposes. */
    @FunctionalInterface
    public interface KnowingProposer {
        /** @param text committed tokens */
        void propose(List<Integer> text, TokenTree tree, DraftBudget budget, @Nullable TokenDraw draw);
    }

    private final KnowingProposer proposer;
    private final boolean prompt;
    public final AtomicInteger openSessions = new AtomicInteger();
    public final AtomicInteger proposals = new AtomicInteger();
    public volatile boolean closed;

    /** Memory that a session says to take for a token. Set it before the drafter is taken into use. */
    public volatile long bytesPerToken;

    /** Whether proposals of several sessions are made together. Set it before sessions are opened. */
    public volatile boolean together;

    public final AtomicInteger jointProposals = new AtomicInteger();

    /** Called at the start of every method of a session with its name; may throw or stall. */
    public volatile java.util.function.Consumer<String> onCall = method -> {};

    public FakeDrafter(boolean returnsPromptly, Proposer proposer) {
        this(returnsPromptly, (text, tree, budget, draw) -> proposer.propose(text, tree, budget));
    }

    public FakeDrafter(boolean returnsPromptly, KnowingProposer proposer) {
        this.prompt = returnsPromptly;
        this.proposer = proposer;
    }

    @Override
    public String name() {
        return "fake";
    }

    @Override
    public HiddenStateRequest hiddenStates() {
        return new HiddenStateRequest(true, List.of(1));
    }

    @Override
    public boolean returnsPromptly() {
        return prompt;
    }

    @Override
    public long kvBytesPerToken() {
        return bytesPerToken;
    }

    @Override
    public boolean proposesTogether() {
        return together;
    }

    @Override
    public void proposeTogether(List<DraftRequest> requests) {
        jointProposals.incrementAndGet();
        Drafter.super.proposeTogether(requests);
    }

    @Override
    public DraftSession openSession() {
        onCall.accept("open");
        openSessions.incrementAndGet();
        return new Session();
    }

    @Override
    public void close() {
        closed = true;
    }

    private final class Session implements DraftSession {
        private final List<Integer> text = new ArrayList<>();
        private @Nullable TokenDraw draw;

        @Override
        public void accept(int[] tokens, int[] rows, int count, PassOutput output) {
            onCall.accept("accept");
            for (int i = 0; i < count; i++) {
                check(output.hiddenStates(), rows[i], tokens[i]);
                check(output.layerStates(0), rows[i], tokens[i]);
                text.add(tokens[i]);
            }
        }

        private void check(float[] states, int row, int token) {
            if (states[row * FakeTarget.HIDDEN] != token || states[row * FakeTarget.HIDDEN + 1] != text.size()) {
                throw new AssertionError("Hidden state of another token or position: " + states[row * 2] + " at "
                        + states[row * 2 + 1] + " for " + token + " at " + text.size());
            }
        }

        @Override
        public void truncate(int length) {
            onCall.accept("truncate");
            if (length > text.size()) {
                throw new AssertionError("Truncated to more than it was told");
            }
            text.subList(length, text.size()).clear();
        }

        @Override
        public void drawBy(@Nullable TokenDraw newDraw) {
            draw = newDraw;
        }

        @Override
        public void propose(TokenTree tree, DraftBudget budget) {
            onCall.accept("propose");
            proposals.incrementAndGet();
            proposer.propose(text, tree, budget, draw);
        }

        @Override
        public void close() {
            openSessions.decrementAndGet();
            onCall.accept("close");
        }
    }
}
