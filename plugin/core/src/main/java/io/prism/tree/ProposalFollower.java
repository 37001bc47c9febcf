package io.prism.tree;

/**
 * Follows a proposal along the text that really came and tells the {@link AcceptanceModel} and {@link TextBias} what became of it. It does
 * so whether the proposal was verified, in part, or not at all: the target's token is the same. So a drafter can be
 * judged for the price of its drafting alone. One per session; not thread-safe.
 */
public final class ProposalFollower {
    private final AcceptanceModel model;
    private final TextBias bias;
    private final TokenTree proposal = new TokenTree(0);
    private boolean[] first = new boolean[64];
    private int node = -1;

    public ProposalFollower(AcceptanceModel model, TextBias bias) {
        this.model = model;
        this.bias = bias;
    }

    /** Follows a copy of {@code tree} from its root on; the one before is forgotten. */
    public void begin(TokenTree tree) {
        proposal.copyFrom(tree);
        node = tree.size() > 1 ? 0 : -1;
        if (first.length < tree.size()) {
            first = new boolean[Math.max(tree.size(), 2 * first.length)];
        }
        proposal.markFirstChoices(first);
    }

    /** The next token of the text. */
    public void token(int token) {
        if (node < 0) {
            return;
        }
        int next = -1;
        boolean tried = false;
        for (int child = node + 1; child < proposal.size(); child++) {
            if (proposal.parent(child) == node) {
                boolean accepted = proposal.token(child) == token;
                if (first[child]) {
                    float logProbability = proposal.logProbability(child);
                    bias.observe(bias.of(model.estimate(logProbability, true, proposal.depth(child))), accepted);
                }
                model.child(proposal.logProbability(child), first[child], proposal.depth(child), accepted);
                tried = true;
                next = accepted ? child : next;
            }
        }
        if (tried) {
            model.continuation(proposal.depth(node) + 1, next >= 0);
        }
        node = next;
    }

    /** Whether the text has not left the proposal yet. */
    public boolean isActive() {
        return node >= 0;
    }

    /** Forgets the proposal, for instance when the text was truncated. */
    public void forget() {
        node = -1;
    }
}
