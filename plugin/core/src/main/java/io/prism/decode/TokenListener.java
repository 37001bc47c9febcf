package io.prism.decode;

/** Receives generated tokens, one at a time and in order, on the decoding thread. */
@FunctionalInterface
public interface TokenListener {

    /**
     * A token was generated. An exception ends the request like false, and is thrown on from {@link
     * DecodingSession#generate}.
     *
     * @return false to stop after this token
     */
    boolean onToken(int token);
}
