package io.prism.drafter.ngram;

import io.prism.spi.DraftSession;
import io.prism.spi.Drafter;
import io.prism.spi.HiddenStateRequest;

/** Proposes what followed the longest suffixes of prompt and output where they occurred before. Thread-safe. */
public final class NgramDrafter implements Drafter {
    static final String NAME = "ngram";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public HiddenStateRequest hiddenStates() {
        return HiddenStateRequest.NONE;
    }

    @Override
    public boolean returnsPromptly() {
        return true;
    }

    @Override
    public DraftSession openSession() {
        return new NgramSession();
    }

    @Override
    public void close() {}
}
