package io.prism.drafter.standalone;

import io.prism.kernels.Kernels;
import io.prism.spi.DraftRequest;
import io.prism.spi.DraftSession;
import io.prism.spi.Drafter;
import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import io.prism.spi.PassRequest;
import io.prism.spi.PrismException;
import io.prism.spi.TargetDescription;
import io.prism.spi.TargetModel;
import java.util.ArrayList;
import java.util.List;

/** Drafts with a whole language model of the target's vocabulary. Thread-safe. */
public final class StandaloneDrafter implements Drafter {
    private final TargetModel model;
    private final Kernels kernels;
    private final AutoCloseable owner;

    /**
     * @param model what drafts
     * @param kernels to search its logits with
     * @param owner closed with the drafter, after its sessions
     */
    public StandaloneDrafter(TargetModel model, Kernels kernels, AutoCloseable owner) {
        this.model = model;
        this.kernels = kernels;
        this.owner = owner;
    }

    /**
     * Refuses a model whose tokens are not the target's.
     *
     * @throws PrismException that says what differs
     */
    static void requireSameVocabulary(String name, TargetDescription drafter, TargetDescription target) {
        String difference = null;
        if (drafter.vocabularySize() != target.vocabularySize()) {
            difference = "vocabulary size: drafter " + drafter.vocabularySize() + ", target " + target.vocabularySize();
        } else if (!drafter.tokenizerFingerprint().equals(target.tokenizerFingerprint())) {
            difference = "tokenizer: drafter " + drafter.tokenizerFingerprint() + ", target "
                    + target.tokenizerFingerprint();
        }
        if (difference != null) {
            throw new PrismException("Model " + name + " can't draft for this target (" + difference
                    + "): expected a model with the same tokens. Choose a small model of the target's family");
        }
    }

    @Override
    public String name() {
        return "standalone";
    }

    @Override
    public HiddenStateRequest hiddenStates() {
        return HiddenStateRequest.NONE;
    }

    @Override
    public DraftSession openSession() {
        return new StandaloneSession(model, kernels);
    }

    @Override
    public long kvBytesPerToken() {
        return model.kvBytesPerToken();
    }

    @Override
    public boolean returnsPromptly() {
        return true;
    }

    @Override
    public boolean proposesTogether() {
        return model.maxJointRows() > 0;
    }

    @Override
    public void proposeTogether(List<DraftRequest> requests) {
        List<DraftRequest> growing = new ArrayList<>(requests);
        growing.removeIf(request -> !sessionOf(request).begin(request.tree(), request.budget()));
        while (!growing.isEmpty()) {
            runPasses(growing);
            growing.removeIf(request -> !sessionOf(request).advance(request.tree()));
        }
    }

    /** Runs the passes prepared, as many in one as fit. */
    private void runPasses(List<DraftRequest> growing) {
        int from = 0;
        while (from < growing.size()) {
            List<PassRequest> passes = new ArrayList<>();
            int rows = 0;
            for (int i = from; i < growing.size(); i++) {
                PassRequest pass = sessionOf(growing.get(i)).pass();
                rows += pass.rows();
                if (!passes.isEmpty() && rows > model.maxJointRows()) {
                    break;
                }
                passes.add(pass);
            }
            List<PassOutput> outputs =
                    passes.size() == 1 ? List.of(passes.getFirst().runAlone()) : model.runTogether(passes);
            for (PassOutput output : outputs) {
                sessionOf(growing.get(from++)).ran(output);
            }
        }
    }

    private static StandaloneSession sessionOf(DraftRequest request) {
        return (StandaloneSession) request.session();
    }

    @Override
    public void close() {
        try {
            owner.close();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new PrismException("Can't close the drafting model: " + e.getMessage(), e);
        }
    }
}
