package io.prism.drafter.prism;

import io.prism.drafter.checkpoint.CheckpointKind;
import io.prism.spi.DraftRequest;
import io.prism.spi.DraftSession;
import io.prism.spi.Drafter;
import io.prism.spi.HiddenStateRequest;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedDeque;

/**
 * A draft model over a target's hidden states. Thread-safe; computes with the target's kernels, on its embedding and
 * head, so the target must outlive it.
 */
final class PrismDrafter implements Drafter {
    private final DraftNetwork network;
    private final CheckpointKind kind;

    /** Not in use, kept for their memory. */
    private final Deque<JointDraft> idle = new ConcurrentLinkedDeque<>();

    PrismDrafter(DraftNetwork network, CheckpointKind kind) {
        this.network = network;
        this.kind = kind;
    }

    @Override
    public String name() {
        return switch (kind) {
            case EAGLE -> "eagle";
            case EAGLE3 -> "eagle3";
            case PRISM, PRISM_AUTHORS -> network.features() == null ? "prism" : "prism-star";
        };
    }

    @Override
    public HiddenStateRequest hiddenStates() {
        return network.features() == null
                ? new HiddenStateRequest(true, List.of())
                : new HiddenStateRequest(false, network.config().featureLayers());
    }

    @Override
    public DraftSession openSession() {
        return new PrismSession(network);
    }

    @Override
    public long kvBytesPerToken() {
        return 2L * network.attention().kvWidth() * Float.BYTES;
    }

    @Override
    public boolean returnsPromptly() {
        return true;
    }

    @Override
    public boolean proposesTogether() {
        return true;
    }

    @Override
    public void proposeTogether(List<DraftRequest> requests) {
        JointDraft kept = idle.pollLast();
        JointDraft joint = kept == null ? new JointDraft(network) : kept;
        joint.propose(requests);
        idle.addLast(joint);
    }

    @Override
    public void close() {
        network.close();
    }
}
