package io.prism.decode;

/** Why a request ended. */
public enum FinishReason {
    /** The target chose an end token. */
    END_TOKEN,
    /** {@link GenerationRequest#maxNewTokens()} tokens were generated. */
    MAX_TOKENS,
    /** The session's context is full. */
    CONTEXT_FULL,
    /** The listener said so, or the thread was interrupted. */
    STOPPED
}
