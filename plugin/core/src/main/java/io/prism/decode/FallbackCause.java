package io.prism.decode;

/** Why a round that should have speculated was a plain one, or was drafted in a slower way. */
public enum FallbackCause {
    /** The drafter threw an exception. */
    EXCEPTION,
    /** The drafter threw an error: out of memory, stack overflow, a class or native library that can't be linked. */
    ERROR,
    /** The proposal was nonsense, for instance a token outside the vocabulary. */
    INVALID_PROPOSAL,
    /** The drafter took too long. */
    TIMEOUT,
    /** The drafter's accelerator failed, and the host drafted from that round on. */
    ACCELERATOR,
    /** The drafter was switched off for this session, after one of the others. */
    SWITCHED_OFF
}
