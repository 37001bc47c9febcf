package io.prism.jlama.internals;

import io.prism.spi.PrismException;

/** A model that loads and runs in Jlama, but not in a forward pass of ours: callers fall back. */
public final class UnsupportedModelException extends PrismException {
    private static final long serialVersionUID = 1L;

    public UnsupportedModelException(String reason) {
        super(reason);
    }
}
